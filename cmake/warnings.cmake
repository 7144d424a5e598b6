# tokensieve_warnings: the warnings every target of this project is compiled with.

add_library(tokensieve_warnings INTERFACE)
target_compile_options(tokensieve_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi
  $<$<BOOL:${TOKENSIEVE_WARNINGS_AS_ERRORS}>:-Werror>)

# GCC 12 sees overlaps and overflows that are not there in std::string's operator+ and std::vector's
# insert (its bugs 105651 and 105329).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(tokensieve_warnings INTERFACE -Wno-restrict -Wno-stringop-overflow)
endif()
