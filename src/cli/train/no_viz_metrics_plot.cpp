#include "metrics_plot.h"

namespace tokensieve::cli {

void plot_metrics(const std::filesystem::path&) {}

}  // namespace tokensieve::cli
