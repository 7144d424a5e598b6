#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace tokensieve::cli {

/// run_program() for a program that uses LibTorch, whose errors carry a stack trace: they become
/// one line, and memory that is not there gets `memory_cure`, too.
int run_torch_program(const CLI::App& program, const std::string& memory_cure,
                      const std::function<void()>& body);

}  // namespace tokensieve::cli
