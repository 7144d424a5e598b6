#include "torch_program.h"

#include <torch/torch.h>

#include <new>

#include "tokensieve/core/error.h"
#include "usage.h"

namespace tokensieve::cli {

int run_torch_program(const CLI::App& program, const std::string& memory_cure,
                      const std::function<void()>& body) {
  return run_program(program, memory_cure, [&] {
    try {
      body();
    } catch (const c10::Error& error) {
      const std::string text = error.what_without_backtrace();
      for (const char* words : {"can't allocate memory", "not enough memory", "out of memory"}) {
        if (text.find(words) != std::string::npos) throw std::bad_alloc();
      }
      fail_runtime("[torch] ", text.substr(0, text.find('\n')));
    }
  });
}

}  // namespace tokensieve::cli
