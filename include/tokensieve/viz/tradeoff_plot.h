#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/viz/line_plot.h"

namespace tokensieve {

/// What one recipe gives and costs, as an evaluation measured it.
struct TradeoffPoint {
  std::string method;     ///< Points of one method, at several densities, make one curve.
  bool control = false;   ///< Random drop and the like: a dashed curve.
  double accuracy = 0.0;  ///< Share of right answers, 0 to 1.
  double low = 0.0;       ///< Ends of its confidence interval.
  double high = 0.0;
  double macs = 0.0;                         ///< Mean multiply-accumulates a sample.
  std::map<int, double> samples_per_second;  ///< By batch size, where it was timed.
};

/// Accuracy in percent over GMACs and, for each batch size that was timed, over samples a second,
/// whose axes call a sample `sample` ("image", "text"): for plot_svg() or draw_plot() to put side
/// by side. A curve runs from its cheapest point to its dearest; curves stand in the order of their
/// first points. Of three methods or more (dense is one, controls are not) the last curve is the
/// Pareto front: stairs over the points that none beats both in accuracy and in cost. Throws
/// std::invalid_argument without points.
std::vector<LinePlot> tradeoff_plots(std::span<const TradeoffPoint> points,
                                     std::string_view sample = "image");

}  // namespace tokensieve
