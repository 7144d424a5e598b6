#include "tokensieve/viz/tradeoff_plot.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "tokensieve/core/error.h"

namespace tokensieve {

namespace {

constexpr int kWidth = 520;
constexpr int kHeight = 420;

/// Accuracy over what `cost` says of a point; NaN leaves it out.
template <typename Cost>
LinePlot plot_over(std::span<const TradeoffPoint> points, Cost cost, std::string x_label) {
  LinePlot plot;
  plot.x_label = std::move(x_label);
  plot.y_label = "top-1 %, with its 95 % interval";
  plot.width = kWidth;
  plot.height = kHeight;
  std::vector<TradeoffPoint> sorted(points.begin(), points.end());
  std::ranges::stable_sort(sorted, {}, &TradeoffPoint::macs);
  for (const TradeoffPoint& first : points) {
    const bool known = std::ranges::any_of(
        plot.series, [&](const PlotSeries& series) { return series.name == first.method; });
    if (known) continue;
    PlotSeries& series = plot.series.emplace_back();
    series.name = first.method;
    series.style = SeriesStyle::points;
    series.dashed = first.control;
    for (const TradeoffPoint& point : sorted) {
      if (point.method != first.method) continue;
      series.x.push_back(cost(point));
      series.y.push_back(100.0 * point.accuracy);
      series.low.push_back(100.0 * point.low);
      series.high.push_back(100.0 * point.high);
    }
  }
  return plot;
}

}  // namespace

std::vector<LinePlot> tradeoff_plots(std::span<const TradeoffPoint> points,
                                     std::string_view sample) {
  check_argument(!points.empty(), "[tradeoff_plots] expected a point or more, got none");
  std::vector<LinePlot> plots = {plot_over(
      points, [](const TradeoffPoint& point) { return point.macs / 1e9; },
      cat("GMACs per ", sample))};
  std::set<int> batches;
  for (const TradeoffPoint& point : points) {
    for (const auto& [batch, rate] : point.samples_per_second) batches.insert(batch);
  }
  for (const int batch : batches) {
    const auto rate = [batch](const TradeoffPoint& point) {
      const auto found = point.samples_per_second.find(batch);
      return found == point.samples_per_second.end() ? std::nan("") : found->second;
    };
    plots.push_back(plot_over(points, rate, cat(sample, "s/s at batch ", batch)));
  }
  return plots;
}

}  // namespace tokensieve
