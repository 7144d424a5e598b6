#include "evaluation_report.h"

#include <locale>
#include <sstream>

#include <nlohmann/json.hpp>

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
  score.method = result.recipe.recipe.is_dense() ? score.name : method_name(score.name);
  score.density_key = result.recipe.recipe.density_key();
  score.density = result.recipe.recipe.density();
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
  for (const double rows : result.layer_rows) score.tokens_per_layer.push_back(rows / n);
  return score;
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) result += letter == '"' ? "\"\"" : std::string(1, letter);
  return result + "\"";
}

}  // namespace

std::vector<RecipeScore> score(const Evaluation& evaluation,
                               std::vector<std::vector<Speed>> speeds) {
  std::vector<RecipeScore> scores;
  speeds.resize(evaluation.results.size());
  for (size_t r = 0; r < evaluation.results.size(); ++r) {
    scores.push_back(score_one(evaluation, evaluation.results[r]));
    scores.back().speeds = std::move(speeds[r]);
  }
  return scores;
}

std::string to_csv(const std::vector<RecipeScore>& scores) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(9);
  out << "name,method,density_key,density,recipe,correct,top1,top1_low,top1_high,gained,lost,"
         "difference,difference_low,difference_high,same_label,macs,macs_share,tokens_per_layer";
  for (const Speed& speed : scores.front().speeds) {
    for (const char* figure :
         {"images_per_second", "images_per_second_low", "images_per_second_high", "speedup",
          "speedup_low", "speedup_high", "mac_gain", "efficiency"}) {
      out << ",batch" << speed.batch << '_' << figure;
    }
  }
  out << '\n';
  for (const RecipeScore& s : scores) {
    out << quoted(s.name) << ',' << quoted(s.method) << ',' << s.density_key << ',' << s.density
        << ',' << quoted(s.recipe) << ',' << s.correct << ',' << s.top1 << ','
        << s.top1_interval.low << ',' << s.top1_interval.high << ',' << s.gained << ',' << s.lost
        << ',' << s.difference << ',' << s.difference_interval.low << ','
        << s.difference_interval.high << ',' << s.same_label << ',' << s.macs << ',' << s.macs_share
        << ',';
    for (size_t l = 0; l < s.tokens_per_layer.size(); ++l) {
      out << (l > 0 ? " " : "") << s.tokens_per_layer[l];
    }
    for (const Speed& speed : s.speeds) {
      out << ',' << speed.images_per_second << ',' << speed.images_per_second_quartiles.low << ','
          << speed.images_per_second_quartiles.high << ',' << speed.speedup << ','
          << speed.speedup_quartiles.low << ',' << speed.speedup_quartiles.high << ','
          << speed.mac_gain << ',' << speed.efficiency;
    }
    out << '\n';
  }
  return out.str();
}

nlohmann::ordered_json to_json(const std::vector<RecipeScore>& scores) {
  const auto pair = [](const Interval& interval) {
    return nlohmann::ordered_json::array({interval.low, interval.high});
  };
  auto list = nlohmann::ordered_json::array();
  for (const RecipeScore& s : scores) {
    auto speeds = nlohmann::ordered_json::array();
    for (const Speed& speed : s.speeds) {
      speeds.push_back({{"batch", speed.batch},
                        {"images_per_second", speed.images_per_second},
                        {"images_per_second_quartiles", pair(speed.images_per_second_quartiles)},
                        {"speedup", speed.speedup},
                        {"speedup_quartiles", pair(speed.speedup_quartiles)},
                        {"mac_gain", speed.mac_gain},
                        {"efficiency", speed.efficiency}});
    }
    nlohmann::ordered_json entry({{"name", s.name},
                                  {"method", s.method},
                                  {"density_key", s.density_key},
                                  {"density", s.density},
                                  {"recipe", s.recipe},
                                  {"correct", s.correct},
                                  {"top1", s.top1},
                                  {"top1_interval", pair(s.top1_interval)},
                                  {"gained", s.gained},
                                  {"lost", s.lost},
                                  {"difference", s.difference},
                                  {"difference_interval", pair(s.difference_interval)},
                                  {"same_label", s.same_label},
                                  {"macs", s.macs},
                                  {"macs_share", s.macs_share},
                                  {"tokens_per_layer", s.tokens_per_layer},
                                  {"speeds", speeds}});
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
