#pragma once

#include <filesystem>

namespace tokensieve::cli {

/// Draws the losses of a run and its held-out accuracy over the steps, from its metrics.jsonl, as
/// `metrics.svg` and `metrics.png` beside it. Does nothing in a build without viz, or for a log
/// without lines. Throws std::runtime_error.
void plot_metrics(const std::filesystem::path& log);

}  // namespace tokensieve::cli
