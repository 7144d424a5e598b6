#include "runs.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "statistics.h"

namespace tokensieve::cli {

std::vector<BatchRun> run_in_turns(const Classifier& classifier, std::span<const PixelsView> batch,
                                   std::span<const NamedRecipe> recipes, int repeat) {
  using Clock = std::chrono::steady_clock;
  std::vector<BatchRun> runs(recipes.size());
  std::vector<std::vector<double>> seconds(recipes.size());
  for (int turn = 0; turn < repeat; ++turn) {
    for (size_t r = 0; r < recipes.size(); ++r) {
      const auto start = Clock::now();
      runs[r].results = classifier.classify(batch, recipes[r].recipe);
      seconds[r].push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
  }
  for (size_t r = 0; r < recipes.size(); ++r) runs[r].seconds = median(seconds[r]);
  return runs;
}

PixelsView view_of(const ModelFolder& model, const std::vector<float>& picture) {
  return {picture.data(), model.preprocessing.height, model.preprocessing.width};
}

std::vector<PixelsView> views_of(const ModelFolder& model,
                                 std::span<const std::vector<float>> pictures) {
  std::vector<PixelsView> views;
  for (const auto& pixels : pictures) views.push_back(view_of(model, pixels));
  return views;
}

std::vector<int64_t> tokens_left(const RetentionTrace& trace) {
  std::vector<int64_t> counts{trace.num_tokens};
  for (const SiteTrace& site : trace.sites) counts.push_back(site.rows - trace.num_prefix_tokens);
  return counts;
}

int64_t dense_macs(const ModelFolder& model) {
  VitConfig config = model.vit;
  config.image_height = model.preprocessing.height;
  config.image_width = model.preprocessing.width;
  return count_dense_macs(config).total();
}

int best_label(std::span<const float> logits) {
  if (std::ranges::any_of(logits, [](float logit) { return std::isnan(logit); })) return kNoLabel;
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

bool same_guess(const Guess& a, const Guess& b) {
  return a.label == b.label && !std::isnan(a.probability + b.probability);
}

std::vector<float> softmax(std::span<const float> logits) {
  std::vector<float> values(logits.begin(), logits.end());
  const float largest = *std::max_element(values.begin(), values.end());
  double sum = 0.0;
  for (float& value : values) sum += value = std::exp(value - largest);
  for (float& value : values) value = static_cast<float>(value / sum);
  return values;
}

}  // namespace tokensieve::cli
