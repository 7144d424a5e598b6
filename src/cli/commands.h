#pragma once

namespace CLI {
class App;
}

namespace tokensieve::cli {

// Each adds one subcommand to the program. Its work runs as the subcommand's callback, after the
// whole command line was read; std::invalid_argument out of it is bad usage, any other exception a
// failure.

void add_classify(CLI::App& program);
void add_visualize(CLI::App& program);
void add_evaluate(CLI::App& program);
void add_calibrate(CLI::App& program);
void add_info(CLI::App& program);
void add_convert(CLI::App& program);
void add_completion(CLI::App& program);

}  // namespace tokensieve::cli
