#include "usage.h"

#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <vector>

#include "terminal.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/printable.h"

namespace tokensieve::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string explain_extras(const CLI::App& command) {
  std::string argument;
  for (const std::string& word : command.remaining()) {
    if (word == "--") break;  // only arguments from here on
    if (word.size() < 2 || word.front() != '-') {
      if (argument.empty()) argument = word;
      continue;
    }
    const std::string name = word.substr(0, word.find('='));
    return cat("unknown option ", name, did_you_mean(name, option_names(command)));
  }
  return argument.empty() ? "" : cat("unexpected argument '", argument, "'");
}

}  // namespace

void check_command_name(const CLI::App& program, const std::string& word) {
  if (word.starts_with("-")) return;
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  for (const std::string& name : names) {
    if (name == word) return;
  }
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  fail_argument("unknown command '", word, "'", did_you_mean(word, names), "; commands are ", list);
}

std::string explain_usage_error(const CLI::App& program, const CLI::ParseError& error) {
  const auto parsed = program.get_subcommands();
  const CLI::App& command = parsed.empty() ? program : *parsed.front();
  std::string problem = explain_extras(command);
  if (problem.empty()) problem = explain_extras(program);
  if (problem.empty()) problem = error.what();
  const std::string tag = parsed.empty() ? "" : cat("[", command.get_name(), "] ");
  const std::string help = parsed.empty() ? "" : command.get_name() + " ";
  return cat(tag, problem, "; see ", program.get_name(), " ", help, "--help");
}

int run_program(const CLI::App& program, const std::string& memory_cure,
                const std::function<void()>& body) {
  const auto complain = [&](const std::string& message, int code) {
    std::cout.flush();
    std::cerr << paint_error(program.get_name() + ":") << " "
              << printable(message, std::string::npos) << "\n";
    return code;
  };
  try {
    body();
    std::cout.flush();
    if (!std::cout) return complain("[output] could not write to standard output", kFailure);
    return 0;
  } catch (const CLI::Success& wanted) {  // --help, --version
    return program.exit(wanted);
  } catch (const CLI::ParseError& error) {
    return complain(explain_usage_error(program, error), kBadUsage);
  } catch (const std::invalid_argument& error) {
    return complain(error.what(), kBadUsage);
  } catch (const std::bad_alloc&) {
    return complain(
        cat("[memory] not enough memory", memory_cure.empty() ? "" : "; " + memory_cure), kFailure);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailure);
  }
}

}  // namespace tokensieve::cli
