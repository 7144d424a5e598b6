#include "tokensieve/viz/tradeoff_plot.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {

namespace {

constexpr int kWidth = 520;
constexpr int kHeight = 420;

constexpr int kFewestMethods = 3;  // dense is one: below, the front is a method's own curve

/// Stairs over the points that no other beats on both axes; `x` of the best is low, or high.
PlotSeries pareto_front(const std::vector<PlotSeries>& methods, bool low_is_good) {
  std::vector<std::pair<double, double>> points;
  for (const PlotSeries& series : methods) {
    for (size_t i = 0; i < series.x.size() && !series.dashed; ++i) {
      if (std::isfinite(series.x[i])) points.emplace_back(series.x[i], series.y[i]);
    }
  }
  std::ranges::sort(points, [&](const auto& a, const auto& b) {
    if (a.first != b.first) return (a.first < b.first) == low_is_good;
    return a.second > b.second;
  });
  PlotSeries front;
  front.name = "Pareto front";
  for (const auto& [x, y] : points) {
    if (!front.y.empty() && y <= front.y.back()) continue;
    if (!front.y.empty()) {
      front.x.push_back(x);
      front.y.push_back(front.y.back());
    }
    front.x.push_back(x);
    front.y.push_back(y);
  }
  return front;
}

/// Accuracy over what `cost` says of a point; NaN leaves it out.
template <typename Cost>
LinePlot plot_over(std::span<const TradeoffPoint> points, Cost cost, bool low_is_good,
                   std::string x_label) {
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
  const auto methods = std::ranges::count(plot.series, false, &PlotSeries::dashed);
  if (methods >= kFewestMethods) {
    PlotSeries front = pareto_front(plot.series, low_is_good);
    if (!front.x.empty()) plot.series.push_back(std::move(front));
  }
  return plot;
}

}  // namespace

std::vector<LinePlot> tradeoff_plots(std::span<const TradeoffPoint> points,
                                     std::string_view sample) {
  check_argument(!points.empty(), "[tradeoff_plots] expected a point or more, got none");
  std::vector<LinePlot> plots = {plot_over(
      points, [](const TradeoffPoint& point) { return point.macs / 1e9; }, true,
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
    plots.push_back(plot_over(points, rate, false, cat(sample, "s/s at batch ", batch)));
  }
  return plots;
}

}  // namespace tokensieve
