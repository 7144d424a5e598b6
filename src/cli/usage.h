#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

namespace tokensieve::cli {

/// Throws std::invalid_argument with the nearest subcommand unless `word`, the first argument of
/// the program, names one or is an option.
void check_command_name(const CLI::App& program, const std::string& word);

/// What is wrong with the command line, as `[command] ...`. An unknown option, with the nearest
/// known one, comes before what CLI11 noticed first (often that something is missing, because of
/// it).
std::string explain_usage_error(const CLI::App& program, const CLI::ParseError& error);

inline constexpr int kFailure = 1;   ///< Exit code: the work failed.
inline constexpr int kBadUsage = 2;  ///< Exit code: the command line was wrong.

/// Runs `body`, which parses and works. What it throws becomes one line on standard error and an
/// exit code; `memory_cure` is what to do when memory runs out.
int run_program(const CLI::App& program, const std::string& memory_cure,
                const std::function<void()>& body);

}  // namespace tokensieve::cli
