#include "evaluation_report.h"

#include <algorithm>
#include <locale>
#include <numeric>
#include <sstream>

#include <nlohmann/json.hpp>

#include "runs.h"
#include "tokensieve/io/file.h"

namespace tokensieve::cli {
namespace {

using Positions = std::vector<size_t>;  // of samples, in the evaluation

Figures figures_of(const Evaluation& evaluation, const RecipeResult& result,
                   const Positions& positions) {
  const RecipeResult& dense = evaluation.results.front();
  const auto n = static_cast<double>(positions.size());
  Figures figures;
  figures.count = static_cast<int64_t>(positions.size());
  int64_t same = 0;
  double macs = 0.0, dense_macs = 0.0;
  for (const size_t i : positions) {
    const bool right = result.predictions[i] == evaluation.labels[i];
    const bool dense_right = dense.predictions[i] == evaluation.labels[i];
    figures.correct += right ? 1 : 0;
    figures.gained += right && !dense_right ? 1 : 0;
    figures.lost += !right && dense_right ? 1 : 0;
    const bool same_label =
        result.predictions[i] == dense.predictions[i] && dense.predictions[i] != kNoLabel;
    same += same_label ? 1 : 0;
    macs += static_cast<double>(result.macs[i]);
    dense_macs += static_cast<double>(dense.macs[i]);
  }
  figures.top1 = static_cast<double>(figures.correct) / n;
  figures.top1_interval = wilson_interval(figures.correct, figures.count);
  figures.difference = static_cast<double>(figures.gained - figures.lost) / n;
  if (&result != &dense) {
    figures.difference_interval = paired_interval(figures.gained, figures.lost, figures.count);
  }
  figures.same_label = static_cast<double>(same) / n;
  figures.macs = macs / n;
  figures.macs_share = macs / dense_macs;
  return figures;
}

// The samples of each bucket that has some.
std::vector<Positions> positions_by_length(const Evaluation& evaluation,
                                           const LengthBuckets& buckets) {
  std::vector<Positions> groups(buckets.longest.size() + 1);
  for (size_t i = 0; i < evaluation.lengths.size(); ++i) {
    const auto bucket = std::ranges::lower_bound(buckets.longest, evaluation.lengths[i]);
    groups[static_cast<size_t>(bucket - buckets.longest.begin())].push_back(i);
  }
  std::erase_if(groups, [](const Positions& group) { return group.empty(); });
  return groups;
}

Bucket bucket_of(const Evaluation& evaluation, const RecipeResult& result,
                 const Positions& positions) {
  Bucket bucket;
  static_cast<Figures&>(bucket) = figures_of(evaluation, result, positions);
  const auto length = [&](size_t position) { return evaluation.lengths[position]; };
  bucket.shortest = length(*std::ranges::min_element(positions, {}, length));
  bucket.longest = length(*std::ranges::max_element(positions, {}, length));
  return bucket;
}

RecipeScore score_one(const Evaluation& evaluation, const RecipeResult& result) {
  const auto& [name, recipe, reason, folder] = result.contender.recipe;
  Positions all(evaluation.labels.size());
  std::iota(all.begin(), all.end(), size_t{0});
  RecipeScore score;
  static_cast<Figures&>(score) = figures_of(evaluation, result, all);
  score.name = result.contender.placed(name);
  score.method = result.contender.placed(recipe.is_dense() ? name : method_name(name));
  score.density_key = recipe.density_key();
  score.density = recipe.density();
  if (const int tokens = result.contender.truncated; tokens > 0) {
    score.method = "truncate";
    score.density_key = "tokens";
    score.density = std::to_string(tokens);
  }
  score.recipe = recipe.str();
  score.reason = reason;
  for (const double rows : result.layer_rows) {
    score.tokens_per_layer.push_back(rows / static_cast<double>(all.size()));
  }
  return score;
}

nlohmann::ordered_json pair(const Interval& interval) {
  return nlohmann::ordered_json::array({interval.low, interval.high});
}

nlohmann::ordered_json figures_json(const Figures& f) {
  return {{"correct", f.correct},
          {"top1", f.top1},
          {"top1_interval", pair(f.top1_interval)},
          {"gained", f.gained},
          {"lost", f.lost},
          {"difference", f.difference},
          {"difference_interval", pair(f.difference_interval)},
          {"same_label", f.same_label},
          {"macs", f.macs},
          {"macs_share", f.macs_share}};
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) result += letter == '"' ? "\"\"" : std::string(1, letter);
  return result + "\"";
}

}  // namespace

LengthBuckets quartile_buckets(const Evaluation& evaluation) {
  const std::vector<double> lengths(evaluation.lengths.begin(), evaluation.lengths.end());
  LengthBuckets buckets;
  for (const double share : {0.25, 0.5, 0.75}) {
    const auto longest = static_cast<int64_t>(quantile(lengths, share));
    if (buckets.longest.empty() || longest > buckets.longest.back()) {
      buckets.longest.push_back(longest);
    }
  }
  return buckets;
}

std::vector<RecipeScore> score(const Evaluation& evaluation, std::vector<std::vector<Speed>> speeds,
                               const LengthBuckets& buckets) {
  std::vector<Positions> by_length;
  if (!buckets.longest.empty()) by_length = positions_by_length(evaluation, buckets);
  std::vector<RecipeScore> scores;
  speeds.resize(evaluation.results.size());
  for (size_t r = 0; r < evaluation.results.size(); ++r) {
    scores.push_back(score_one(evaluation, evaluation.results[r]));
    for (const Positions& positions : by_length) {
      scores.back().buckets.push_back(bucket_of(evaluation, evaluation.results[r], positions));
    }
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
         {"samples_per_second", "samples_per_second_low", "samples_per_second_high", "speedup",
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
      out << ',' << speed.samples_per_second << ',' << speed.samples_per_second_quartiles.low << ','
          << speed.samples_per_second_quartiles.high << ',' << speed.speedup << ','
          << speed.speedup_quartiles.low << ',' << speed.speedup_quartiles.high << ','
          << speed.mac_gain << ',' << speed.efficiency;
    }
    out << '\n';
  }
  return out.str();
}

nlohmann::ordered_json to_json(const std::vector<RecipeScore>& scores) {
  auto list = nlohmann::ordered_json::array();
  for (const RecipeScore& s : scores) {
    auto speeds = nlohmann::ordered_json::array();
    for (const Speed& speed : s.speeds) {
      speeds.push_back({{"batch", speed.batch},
                        {"samples_per_second", speed.samples_per_second},
                        {"samples_per_second_quartiles", pair(speed.samples_per_second_quartiles)},
                        {"speedup", speed.speedup},
                        {"speedup_quartiles", pair(speed.speedup_quartiles)},
                        {"mac_gain", speed.mac_gain},
                        {"efficiency", speed.efficiency}});
    }
    auto buckets = nlohmann::ordered_json::array();
    for (const Bucket& bucket : s.buckets) {
      nlohmann::ordered_json entry(
          {{"shortest", bucket.shortest}, {"longest", bucket.longest}, {"count", bucket.count}});
      entry.update(figures_json(bucket));
      buckets.push_back(std::move(entry));
    }
    nlohmann::ordered_json entry({{"name", s.name},
                                  {"method", s.method},
                                  {"density_key", s.density_key},
                                  {"density", s.density},
                                  {"recipe", s.recipe}});
    entry.update(figures_json(s));
    entry["tokens_per_layer"] = s.tokens_per_layer;
    entry["buckets"] = buckets;
    entry["speeds"] = speeds;
    if (!s.reason.empty()) entry["reason"] = s.reason;
    list.push_back(std::move(entry));
  }
  return list;
}

void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation,
                       const std::string& sample) {
  const Contender& first = evaluation.results.front().contender;
  const bool texts = first.model->reads_texts();
  std::string text = sample + (texts ? ",tokens,label" : ",label");
  for (const RecipeResult& result : evaluation.results) {
    text += "," + quoted(result.contender.placed(result.contender.recipe.name));
  }
  text += "\n";
  for (size_t i = 0; i < evaluation.labels.size(); ++i) {
    text += quoted(first.samples->name(evaluation.samples[i]));
    if (texts) text += "," + std::to_string(evaluation.lengths[i]);
    text += "," + std::to_string(evaluation.labels[i]);
    for (const RecipeResult& result : evaluation.results) {
      text += "," + std::to_string(result.predictions[i]);
    }
    text += "\n";
  }
  write_text_file(path, text);
}

}  // namespace tokensieve::cli
