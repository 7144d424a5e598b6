#include "metrics_plot.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "tokensieve/io/file.h"
#include "tokensieve/io/image.h"
#include "tokensieve/viz/line_plot.h"

namespace tokensieve::cli {
namespace {

constexpr uint64_t kMaxLogBytes = uint64_t{1} << 30;

PlotSeries& series_of(LinePlot& plot, const std::string& name) {
  for (PlotSeries& series : plot.series) {
    if (series.name == name) return series;
  }
  plot.series.emplace_back().name = name;
  return plot.series.back();
}

}  // namespace

void plot_metrics(const std::filesystem::path& log) {
  LinePlot plot;
  plot.title = log.parent_path().filename().string();
  plot.x_label = "optimizer steps";
  plot.y_label = "loss terms; share right on held-out samples (points)";
  std::istringstream lines(read_text_file(log, kMaxLogBytes));
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::ordered_json::parse(line, nullptr, false);
    if (!record.is_object()) continue;
    for (const auto& [name, value] : record.items()) {
      if (!value.is_number() || name == "step" || name == "epoch" || name == "learning_rate")
        continue;
      PlotSeries& series = series_of(plot, name);
      if (name.starts_with("held_out")) series.style = SeriesStyle::points;
      series.x.push_back(record.value("step", 0.0));
      series.y.push_back(value.get<double>());
    }
  }
  if (plot.series.empty()) return;
  const auto svg = std::filesystem::path(log).replace_extension(".svg");
  write_text_file(svg, plot_svg(plot));
  write_png(std::filesystem::path(svg).replace_extension(".png"), draw_plot(plot));
}

}  // namespace tokensieve::cli
