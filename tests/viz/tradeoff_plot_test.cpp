#include "tokensieve/viz/tradeoff_plot.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace tokensieve;

namespace {

TradeoffPoint point(const std::string& method, double accuracy, double macs) {
  TradeoffPoint made;
  made.method = method;
  made.accuracy = accuracy;
  made.low = accuracy - 0.01;
  made.high = accuracy + 0.01;
  made.macs = macs;
  return made;
}

}  // namespace

TEST_CASE("a method is one curve from its cheapest point to its dearest", "[viz][plot]") {
  std::vector<TradeoffPoint> points = {point("dense", 0.97, 4e9), point("evit", 0.96, 3e9),
                                       point("random", 0.9, 3e9), point("evit", 0.9, 1e9)};
  points[2].control = true;
  const std::vector<LinePlot> plots = tradeoff_plots(points);
  REQUIRE(plots.size() == 1);
  const std::vector<PlotSeries>& series = plots[0].series;
  REQUIRE(series.size() == 3);
  CHECK(series[0].name == "dense");
  CHECK(series[0].x == std::vector<double>{4});
  CHECK(series[1].name == "evit");
  CHECK(series[1].x == std::vector<double>{1, 3});
  CHECK(series[1].y == std::vector<double>{90, 96});
  CHECK(series[1].low[1] == Approx(95));
  CHECK(series[1].high[1] == Approx(97));
  CHECK_FALSE(series[1].dashed);
  CHECK(series[2].dashed);
}

TEST_CASE("every batch size that was timed has a plot of its own", "[viz][plot]") {
  std::vector<TradeoffPoint> points = {point("dense", 0.97, 4e9), point("evit", 0.96, 3e9)};
  points[0].samples_per_second = {{1, 20.0}, {8, 40.0}};
  points[1].samples_per_second = {{8, 60.0}};
  const std::vector<LinePlot> plots = tradeoff_plots(points);
  REQUIRE(plots.size() == 3);
  CHECK(plots[1].x_label == "images/s at batch 1");
  CHECK(plots[2].x_label == "images/s at batch 8");
  CHECK(plots[2].series[1].x == std::vector<double>{60});
  CHECK(std::isnan(plots[1].series[1].x[0]));
  CHECK_NOTHROW(draw_plot(plots, 1));
}

TEST_CASE("of several methods there is a Pareto front, controls left out", "[viz][plot]") {
  std::vector<TradeoffPoint> points = {point("dense", 0.97, 4e9), point("evit", 0.96, 3e9),
                                       point("sait", 0.95, 2e9), point("sait", 0.94, 3.5e9),
                                       point("random", 0.99, 1e9)};
  points[4].control = true;
  for (size_t i = 0; i < 4; ++i) {
    points[i].samples_per_second = {{1, 40.0 - points[i].macs / 1e8}};
  }
  const std::vector<LinePlot> plots = tradeoff_plots(points);
  REQUIRE(plots.size() == 2);
  const PlotSeries& front = plots[0].series.back();
  CHECK(front.name == "Pareto front");
  CHECK(front.x == std::vector<double>{2, 3, 3, 4, 4});
  CHECK(front.y == std::vector<double>{95, 95, 96, 96, 97});
  CHECK(plots[1].series.back().x == std::vector<double>{20, 10, 10, 0, 0});  // fast is good
  CHECK(plots[1].series.back().y == front.y);
  points.erase(points.begin() + 1);
  CHECK(tradeoff_plots(points)[0].series.back().name == "random");
}

TEST_CASE("the axes call a sample what it is", "[viz][plot]") {
  std::vector<TradeoffPoint> points = {point("dense", 0.97, 4e9)};
  points[0].samples_per_second = {{1, 20.0}};
  CHECK(tradeoff_plots(points)[0].x_label == "GMACs per image");
  CHECK(tradeoff_plots(points, "text")[0].x_label == "GMACs per text");
  CHECK(tradeoff_plots(points, "text")[1].x_label == "texts/s at batch 1");
}

TEST_CASE("a trade-off without points is refused", "[viz][plot]") {
  CHECK_THROWS_AS(tradeoff_plots({}), std::invalid_argument);
}
