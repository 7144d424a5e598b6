#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tokensieve/nn/adamw.h"
#include "tokensieve/nn/batches.h"
#include "tokensieve/nn/learning_rate.h"
#include "tokensieve/nn/method.h"

namespace tokensieve::nn {

/// Which parameters learn how fast.
struct LearningRates {
  double base = 1e-4;        ///< Peak rate of the backbone's last block.
  double head = 0;           ///< Of classifiers, exits among them; 0: `base`.
  double predictors = 0;     ///< Of predictors and thresholds of sites; 0: `base`.
  double layer_decay = 1.0;  ///< Factor from each block to the one below it, and to the embedding.
  double weight_decay = 0.05;  ///< Of tensors with more than one axis that are not biases.
  /// In these first epochs the rate of everything but the predictors is 0.
  int64_t frozen_epochs = 0;
  /// Class token and positions (DynamicViT's code), or a text network's tables, never change.
  bool freeze_embeddings = false;

  /// Throws std::invalid_argument for rates out of range.
  void validate() const;
};

/// The highest of the rates, whose schedule the others are fractions of.
double peak_rate(const LearningRates& rates);

/// The groups of `network`'s parameters, with scales relative to peak_rate(). Takes the gradient
/// off frozen embeddings. Throws std::invalid_argument for rates out of range.
std::vector<ParameterGroup> parameter_groups(const torch::nn::Module& network,
                                             const LearningRates& rates);

/// How a run goes. The defaults are DynamicViT's where its paper has them.
struct TrainOptions {
  int64_t epochs = 30;       ///< Passes over the training data.
  int64_t accumulate = 1;    ///< Batches of the loader in one optimizer step.
  double warmup_epochs = 5;  ///< Epochs, or a part of one, in which rates grow from 0.
  double final_rate = 1e-6;  ///< Where the fastest group's cosine ends.
  LearningRates rates;       ///< Peak rates.
  double clip_norm = 0;      ///< 0: gradients are not clipped.
  /// The result is of the last epoch, not of the one that is best on the held-out samples: for few
  /// of those, whose accuracy goes up and down by chance.
  bool last_epoch = false;
  double ema = 0;            ///< Decay of an average evaluated beside the weights; 0: none.
  bool bf16 = true;          ///< Matrix products in bfloat16; weights and sums stay float32.
  uint64_t seed = 0;         ///< Of everything that is drawn.
  int64_t log_every = 20;    ///< Steps that one line of the log sums up.
  int64_t save_every = 200;  ///< Steps between checkpoints, a multiple of log_every.
  int64_t stop_after = 0;    ///< Stop, resumable, after this step; 0: run to the end.
  torch::Device device = torch::kCPU;  ///< Where the network is.
  /// What the run is made of, as text: a checkpoint of another run is refused.
  std::string fingerprint;

  /// Throws std::invalid_argument for numbers that make no run.
  void validate() const;
};

/// Where a run stands, for progress bars.
struct TrainProgress {
  int64_t step = 0;  ///< Steps done, of `steps`.
  int64_t steps = 0;
  int64_t epoch = 0;
  double loss = 0;  ///< Mean over the last logged steps.
};

/// What a finished (or stopped) run gives.
struct TrainResult {
  bool finished = false;
  int64_t best_epoch = -1;
  double best_accuracy = 0;  ///< Top-1 on the held-out samples, in [0, 1].
  bool best_is_ema = false;
  double waited = 0;  ///< Share of the time, in [0, 1], that training waited for the loader.
};

/// Trains `method` on `train`, choosing the best epoch (of the weights and of their average) on
/// `held_out`. Writes to `folder`: `metrics.jsonl` (a line every `log_every` steps and one an
/// epoch), `checkpoint.safetensors`; calls `save_best(epoch, accuracy)` while the best weights are
/// in place.
///
/// A run that was killed goes on from its last checkpoint and ends with the same numbers: batches
/// are functions of (seed, step), torch's generator is seeded anew at every step, and the log is
/// cut back to the checkpoint. Throws std::runtime_error when the loss is not finite, a file cannot
/// be written, the folder holds a checkpoint of another run, or another process trains into it;
/// std::invalid_argument for options that make no run, and where none of its epochs could be chosen
/// (Method::is_candidate()).
TrainResult train(Method& method, Batches& train, Batches& held_out, const TrainOptions& options,
                  const std::filesystem::path& folder,
                  const std::function<void(int64_t epoch, double accuracy)>& save_best,
                  const std::function<void(const TrainProgress&)>& on_step = {});

/// Share of one epoch's samples whose best logit is their label's; NaN logits count as wrong.
double accuracy(Method& method, Batches& batches, torch::Device device, bool bf16);

}  // namespace tokensieve::nn
