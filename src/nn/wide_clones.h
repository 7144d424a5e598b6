#pragma once

// TOKENSIEVE_WIDE_CLONES before a function compiles it again for registers of 256 and of 512
// bits, and the program chooses when it starts; what it calls takes part where it is
// TOKENSIEVE_INLINE. Sanitizers are not ready that early.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TOKENSIEVE_WIDE_CLONES \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#define TOKENSIEVE_INLINE inline __attribute__((always_inline))
#else
#define TOKENSIEVE_WIDE_CLONES
#define TOKENSIEVE_INLINE inline
#endif
