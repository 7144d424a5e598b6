#pragma once

#include <functional>

namespace tokensieve::cli {

/// Runs `body` and turns LibTorch's errors, which carry a stack trace, into one line: memory that
/// is not there into std::bad_alloc, all else into std::runtime_error.
void with_torch_errors(const std::function<void()>& body);

}  // namespace tokensieve::cli
