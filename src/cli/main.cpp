// The program `tokensieve`: reads the command line and hands over to one subcommand.

#include <exception>
#include <iostream>
#include <stdexcept>

#include "commands.h"
#include "terminal.h"
#include "usage.h"

#ifndef TOKENSIEVE_VERSION
#define TOKENSIEVE_VERSION "unknown"
#endif

namespace {

constexpr int kFailure = 1;
constexpr int kBadUsage = 2;

int complain(const std::string& message, int code) {
  std::cout.flush();
  std::cerr << tokensieve::cli::paint_error("tokensieve:") << " " << message << "\n";
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tokensieve::cli;
  CLI::App program(
      "Faster ViT image models on CPUs: drops the tokens that do not matter, and shows which.");
  program.name("tokensieve");
  program.footer("Example: tokensieve classify --keep 0.5 demos/images");
  program.set_version_flag("--version", "tokensieve " TOKENSIEVE_VERSION);
  program.require_subcommand(1);
  add_classify(program);
  add_visualize(program);
  add_evaluate(program);
  add_info(program);
  add_convert(program);
  add_completion(program);

  try {
    if (argc < 2) {
      std::cerr << program.help();
      return kBadUsage;
    }
    check_command_name(program, argv[1]);
    program.parse(argc, argv);
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
    return complain("[memory] not enough memory; pass fewer images at a time (--batch)", kFailure);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailure);
  }
}
