// Stands in for viz/visualize.cpp in a build without OpenCV.

#include <CLI/CLI.hpp>

#include "commands.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {

void add_visualize(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("visualize", "Draw which tokens a recipe keeps (not in this build)");
  command->allow_extras();
  command->callback([] {
    fail_runtime("[visualize] this build cannot draw: OpenCV was not found when it was made");
  });
}

}  // namespace tokensieve::cli
