#include <algorithm>
#include <cmath>

#include "evaluation_report.h"
#include "table.h"
#include "terminal.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

constexpr size_t kMethodWidth = 40;

std::string points(double share) { return fixed(100.0 * share, 2); }

std::string signed_points(double share) { return (share >= 0.0 ? "+" : "") + points(share); }

std::string times(double factor) { return fixed(factor, 2) + "x"; }

std::string method_cell(const RecipeScore& score) { return shorten(score.method, kMethodWidth); }

// "keep=0.7"; of many numbers the first and the last.
std::string density_cell(const RecipeScore& score) {
  if (score.density_key.empty()) return score.density;
  std::string density = score.density;
  if (std::ranges::count(density, '/') > 1) {
    density.replace(density.find('/'), density.rfind('/') - density.find('/'), "/…");
  }
  return shorten(score.density_key + "=" + density, 34);
}

std::string accuracy_table(const std::vector<RecipeScore>& scores) {
  Table table({{"method", false},
               {"density"},
               {"top-1 %"},
               {"95 % interval"},
               {"to dense"},
               {"95 % interval"},
               {"same"},
               {"GMAC"},
               {""}});
  for (const RecipeScore& score : scores) {
    const bool dense = &score == &scores.front();
    const Interval& top1 = score.top1_interval;
    const Interval& difference = score.difference_interval;
    table.add({method_cell(score), density_cell(score), points(score.top1),
               points(top1.low) + " " + points(top1.high),
               dense ? "" : signed_points(score.difference),
               dense ? "" : signed_points(difference.low) + " " + signed_points(difference.high),
               dense ? "" : percent(score.same_label), giga(score.macs),
               dense ? "" : percent(score.macs_share, 0)});
  }
  return table.str();
}

std::string length_table(const std::vector<RecipeScore>& scores, const std::string& samples) {
  Table table({{"method", false},
               {"density"},
               {"tokens"},
               {samples},
               {"top-1 %"},
               {"to dense"},
               {"95 % interval"},
               {"GMAC"},
               {""}});
  for (const RecipeScore& score : scores) {
    const bool dense = &score == &scores.front();
    for (const Bucket& bucket : score.buckets) {
      const bool first = &bucket == &score.buckets.front();
      const Interval& difference = bucket.difference_interval;
      table.add({first ? method_cell(score) : "", first ? density_cell(score) : "",
                 cat(bucket.shortest, " to ", bucket.longest), std::to_string(bucket.count),
                 points(bucket.top1), dense ? "" : signed_points(bucket.difference),
                 dense ? "" : signed_points(difference.low) + " " + signed_points(difference.high),
                 giga(bucket.macs), dense ? "" : percent(bucket.macs_share, 0)});
    }
  }
  return table.str();
}

std::string speed_table(const std::vector<RecipeScore>& scores) {
  std::vector<Table::Column> columns = {{"method", false}, {"density"}, {"MACs"}};
  for (const Speed& speed : scores.front().speeds) {
    columns.push_back({cat("at batch ", speed.batch)});
    columns.push_back({"spread"});
    columns.push_back({"speed-up"});
    columns.push_back({"of MACs"});
  }
  Table table(columns);
  for (const RecipeScore& score : scores) {
    const bool dense = &score == &scores.front();
    std::vector<std::string> cells = {method_cell(score), density_cell(score),
                                      dense ? "" : times(score.speeds.front().mac_gain)};
    for (const Speed& speed : score.speeds) {
      const Interval& quartiles = speed.samples_per_second_quartiles;
      const double spread = (quartiles.high - quartiles.low) / 2 / speed.samples_per_second;
      cells.push_back(fixed(speed.samples_per_second, 1));
      cells.push_back("±" + percent(spread, 0));
      cells.push_back(dense ? "" : times(speed.speedup));
      cells.push_back(dense ? "" : fixed(speed.efficiency, 2));
    }
    table.add(cells);
  }
  return table.str();
}

std::string token_table(const std::vector<RecipeScore>& scores) {
  Table table({{"method", false}, {"density"}, {"tokens in each layer", false}});
  for (const RecipeScore& score : scores) {
    std::string rows;
    for (const double mean : score.tokens_per_layer) {
      rows += fixed(mean, mean == std::floor(mean) ? 0 : 1) + " ";
    }
    table.add({method_cell(score), density_cell(score), rows});
  }
  return table.str();
}

}  // namespace

std::string to_text(const std::vector<RecipeScore>& scores, const std::string& sample) {
  const bool timed = !scores.front().speeds.empty();
  const bool by_length = !scores.front().buckets.empty();
  return accuracy_table(scores) + "\n" +
         (by_length ? length_table(scores, sample + "s") + "\n" : "") +
         (timed ? speed_table(scores) + "\n" : "") + token_table(scores);
}

}  // namespace tokensieve::cli
