#include "tokensieve/viz/tradeoff_plot.h"

#include "evaluation_report.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"

namespace tokensieve::cli {

void check_plot_name(const std::filesystem::path& path) {
  const std::string extension = lower_extension(path);
  check_argument(extension == ".svg" || extension == ".png",
                 "[evaluate] --plot: expected a name that ends in .svg or .png, got ",
                 path.string());
}

void write_tradeoff_plot(const std::filesystem::path& path, const std::vector<RecipeScore>& scores,
                         const std::string& sample) {
  check_plot_name(path);
  std::vector<TradeoffPoint> points;
  for (const RecipeScore& score : scores) {
    TradeoffPoint& point = points.emplace_back();
    point.method = score.method;
    point.control = score.recipe.starts_with("score=random");
    point.accuracy = score.top1;
    point.low = score.top1_interval.low;
    point.high = score.top1_interval.high;
    point.macs = score.macs;
    for (const Speed& speed : score.speeds) {
      point.samples_per_second[speed.batch] = speed.samples_per_second;
    }
  }
  const std::vector<LinePlot> plots = tradeoff_plots(points, sample);
  if (lower_extension(path) == ".svg") {
    write_text_file(path, plot_svg(plots));
  } else {
    write_png(path, draw_plot(plots));
  }
}

}  // namespace tokensieve::cli
