#include "evaluation_report.h"

#include <cmath>
#include <locale>
#include <sstream>

#include <nlohmann/json.hpp>

#include "table.h"
#include "terminal.h"
#include "tokensieve/io/file.h"

namespace tokensieve::cli {
namespace {

RecipeScore score_one(const Evaluation& evaluation, const RecipeResult& result) {
  const RecipeResult& dense = evaluation.results.front();
  const auto& labels = evaluation.pictures.labels;
  const auto count = static_cast<int64_t>(labels.size());
  const auto n = static_cast<double>(count);
  RecipeScore score;
  score.name = result.recipe.name;
  score.recipe = result.recipe.recipe.str();
  score.reason = result.recipe.reason;
  int64_t same = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const bool right = result.predictions[i] == labels[i];
    const bool dense_right = dense.predictions[i] == labels[i];
    score.correct += right ? 1 : 0;
    score.gained += right && !dense_right ? 1 : 0;
    score.lost += !right && dense_right ? 1 : 0;
    same += result.predictions[i] == dense.predictions[i] ? 1 : 0;
  }
  score.top1 = static_cast<double>(score.correct) / n;
  score.top1_interval = wilson_interval(score.correct, count);
  score.difference = static_cast<double>(score.gained - score.lost) / n;
  if (&result != &dense) {
    score.difference_interval = paired_interval(score.gained, score.lost, count);
  }
  score.same_label = static_cast<double>(same) / n;
  score.macs = result.macs / n;
  score.macs_share = result.macs / dense.macs;
  score.images_per_second = n / result.seconds;
  score.speedup = dense.seconds / result.seconds;
  for (const double rows : result.layer_rows) score.tokens_per_layer.push_back(rows / n);
  return score;
}

std::string points(double share) { return fixed(100.0 * share, 2); }

std::string signed_points(double share) { return (share >= 0.0 ? "+" : "") + points(share); }

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) result += letter == '"' ? "\"\"" : std::string(1, letter);
  return result + "\"";
}

}  // namespace

std::vector<RecipeScore> score(const Evaluation& evaluation) {
  std::vector<RecipeScore> scores;
  for (const RecipeResult& result : evaluation.results) {
    scores.push_back(score_one(evaluation, result));
  }
  return scores;
}

std::string to_text(const std::vector<RecipeScore>& scores) {
  Table table({{"recipe", false},
               {"top-1 %"},
               {"95 % interval"},
               {"to dense"},
               {"95 % interval"},
               {"same"},
               {"GMAC"},
               {""},
               {"images/s"},
               {""}});
  Table layers({{"recipe", false}, {"tokens in each layer", false}});
  for (const RecipeScore& score : scores) {
    const bool dense = &score == &scores.front();
    const Interval& top1 = score.top1_interval;
    const Interval& difference = score.difference_interval;
    const std::string name = shorten(score.name, 28);
    table.add({name, points(score.top1), points(top1.low) + " " + points(top1.high),
               dense ? "" : signed_points(score.difference),
               dense ? "" : signed_points(difference.low) + " " + signed_points(difference.high),
               dense ? "" : percent(score.same_label), giga(score.macs),
               dense ? "" : percent(score.macs_share, 0), fixed(score.images_per_second, 1),
               dense ? "" : fixed(score.speedup, 2) + "x"});
    std::string rows;
    for (const double mean : score.tokens_per_layer) {
      rows += fixed(mean, mean == std::floor(mean) ? 0 : 1) + " ";
    }
    layers.add({name, rows});
  }
  return table.str() + "\n" + layers.str();
}

std::string to_csv(const std::vector<RecipeScore>& scores) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(9);
  out << "name,recipe,correct,top1,top1_low,top1_high,gained,lost,difference,difference_low,"
         "difference_high,same_label,macs,macs_share,images_per_second,speedup,tokens_per_layer\n";
  for (const RecipeScore& s : scores) {
    out << quoted(s.name) << ',' << quoted(s.recipe) << ',' << s.correct << ',' << s.top1 << ','
        << s.top1_interval.low << ',' << s.top1_interval.high << ',' << s.gained << ',' << s.lost
        << ',' << s.difference << ',' << s.difference_interval.low << ','
        << s.difference_interval.high << ',' << s.same_label << ',' << s.macs << ',' << s.macs_share
        << ',' << s.images_per_second << ',' << s.speedup << ',';
    for (size_t l = 0; l < s.tokens_per_layer.size(); ++l) {
      out << (l > 0 ? " " : "") << s.tokens_per_layer[l];
    }
    out << '\n';
  }
  return out.str();
}

nlohmann::ordered_json to_json(const std::vector<RecipeScore>& scores) {
  auto list = nlohmann::ordered_json::array();
  for (const RecipeScore& s : scores) {
    nlohmann::ordered_json entry(
        {{"name", s.name},
         {"recipe", s.recipe},
         {"correct", s.correct},
         {"top1", s.top1},
         {"top1_interval", {s.top1_interval.low, s.top1_interval.high}},
         {"gained", s.gained},
         {"lost", s.lost},
         {"difference", s.difference},
         {"difference_interval", {s.difference_interval.low, s.difference_interval.high}},
         {"same_label", s.same_label},
         {"macs", s.macs},
         {"macs_share", s.macs_share},
         {"images_per_second", s.images_per_second},
         {"speedup", s.speedup},
         {"tokens_per_layer", s.tokens_per_layer}});
    if (!s.reason.empty()) entry["reason"] = s.reason;
    list.push_back(std::move(entry));
  }
  return list;
}

void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation) {
  std::string text = "image,label";
  for (const RecipeResult& result : evaluation.results) text += "," + quoted(result.recipe.name);
  text += "\n";
  for (size_t i = 0; i < evaluation.pictures.labels.size(); ++i) {
    text += quoted(evaluation.pictures.paths[i].string()) + "," +
            std::to_string(evaluation.pictures.labels[i]);
    for (const RecipeResult& result : evaluation.results) {
      text += "," + std::to_string(result.predictions[i]);
    }
    text += "\n";
  }
  write_text_file(path, text);
}

}  // namespace tokensieve::cli
