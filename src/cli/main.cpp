// The program `tokensieve`: reads the command line and hands over to one subcommand.

#include <iostream>

#include "commands.h"
#include "usage.h"

#ifndef TOKENSIEVE_VERSION
#define TOKENSIEVE_VERSION "unknown"
#endif

int main(int argc, char** argv) {
  using namespace tokensieve::cli;
  CLI::App program(
      "Faster ViT and BERT models on CPUs: drops the tokens that do not matter, and shows which.");
  program.name("tokensieve");
  program.footer("Example: tokensieve classify --keep 0.5 demos/images");
  program.set_version_flag("--version", "tokensieve " TOKENSIEVE_VERSION);
  program.require_subcommand(1);
  add_classify(program);
  add_visualize(program);
  add_evaluate(program);
  add_calibrate(program);
  add_info(program);
  add_convert(program);
  add_completion(program);

  if (argc < 2) {
    std::cerr << program.help();
    return kBadUsage;
  }
  const std::string command = argv[1];
  const bool batches = command == "classify" || command == "evaluate" || command == "calibrate";
  return run_program(program, batches ? "pass fewer samples at a time (--batch)" : "", [&] {
    check_command_name(program, argv[1]);
    program.parse(argc, argv);
  });
}
