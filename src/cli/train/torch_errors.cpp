#include "torch_errors.h"

#include <torch/torch.h>

#include <new>
#include <string>

#include "tokensieve/core/error.h"

namespace tokensieve::cli {

void with_torch_errors(const std::function<void()>& body) {
  try {
    body();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    for (const char* words : {"can't allocate memory", "not enough memory", "out of memory"}) {
      if (text.find(words) != std::string::npos) throw std::bad_alloc();
    }
    fail_runtime("[torch] ", text.substr(0, text.find('\n')));
  }
}

}  // namespace tokensieve::cli
