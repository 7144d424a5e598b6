#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>

#include "tokensieve/data/image_loader.h"
#include "tokensieve/data/text_loader.h"

namespace tokensieve::nn {

/// What a network takes in one step, whatever it reads.
struct TensorBatch {
  torch::Tensor input;                    ///< What the network's forward() takes.
  torch::Tensor targets;                  ///< `[B, classes]`, each row with a sum of 1.
  torch::Tensor labels;                   ///< `[B]`, int64.
  std::shared_ptr<const Batch> pictures;  ///< As the loader gave them; null for texts.

  int64_t size() const { return labels.size(0); }
};

/// Where a run's batches come from. What step t holds is a function of t alone, which is what exact
/// resuming takes.
class Batches {
 public:
  virtual ~Batches() = default;
  virtual int64_t steps_per_epoch() const = 0;
  /// The step that next() returns next.
  virtual int64_t step() const = 0;
  /// Makes next() return `step`. Throws std::invalid_argument below 0, and past the end of
  /// pictures; texts go on for ever.
  virtual void seek(int64_t step) = 0;
  /// The next batch, on the CPU; waits for it.
  virtual TensorBatch next() = 0;
};

/// Pictures: input `[B, 3, height, width]`, normalised.
std::unique_ptr<Batches> batches_of(std::shared_ptr<ImageLoader> loader);

/// Texts: input `[B, 2, n]`, int64, ids and token types, -1 after the end of a text.
std::unique_ptr<Batches> batches_of(std::shared_ptr<TextLoader> loader);

}  // namespace tokensieve::nn
