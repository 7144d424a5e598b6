#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "recipe_option.h"
#include "tokensieve/engine/classifier.h"

namespace tokensieve::cli {

/// One recipe's answers for a batch.
struct BatchRun {
  std::vector<Classification> results;
  double seconds = 0.0;  ///< For the whole batch: the median of the repeats.
};

/// Runs every recipe on the same batch, `repeat` times, the recipes taking turns, so that a busy
/// moment of the machine hits all alike. Returns one BatchRun for each recipe.
std::vector<BatchRun> run_in_turns(const Classifier& classifier, std::span<const PixelsView> batch,
                                   std::span<const NamedRecipe> recipes, int repeat);

/// A view of a preprocessed picture, which is as large as `model` says, and of several.
PixelsView view_of(const ModelFolder& model, const std::vector<float>& picture);
std::vector<PixelsView> views_of(const ModelFolder& model,
                                 std::span<const std::vector<float>> pictures);

/// Rows that stand for input tokens: of the input, then after each site. Prefix rows are not
/// counted, fused rows are.
std::vector<int64_t> tokens_left(const RetentionTrace& trace);

/// MACs of the dense network, masked heads as masked, on a picture as large as `model` says.
int64_t dense_macs(const ModelFolder& model);

/// Index of the largest logit; kNoLabel, which is nobody's label, if one is NaN.
constexpr int kNoLabel = -1;
int best_label(std::span<const float> logits);

/// Whether two best guesses are one; those of logits that are no numbers agree with nothing.
bool same_guess(const Guess& a, const Guess& b);

/// exp(logits) scaled to a sum of 1.
std::vector<float> softmax(std::span<const float> logits);

}  // namespace tokensieve::cli
