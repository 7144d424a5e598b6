// Stands in for viz/tradeoff_plot.cpp in a build without OpenCV.

#include "evaluation_report.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {

void check_plot_name(const std::filesystem::path&) {
  fail_runtime("[evaluate] this build cannot draw: OpenCV was not found when it was made");
}

void write_tradeoff_plot(const std::filesystem::path& path, const std::vector<RecipeScore>&,
                         const std::string&) {
  check_plot_name(path);
}

}  // namespace tokensieve::cli
