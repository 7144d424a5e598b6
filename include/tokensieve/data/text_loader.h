#pragma once

#include <cstdint>
#include <vector>

namespace tokensieve {

/// One text as a network reads it, and its class.
struct TokenSample {
  std::vector<std::int32_t> ids;    ///< Special tokens included.
  std::vector<std::int32_t> types;  ///< As many.
  int label = 0;
};

/// What a network takes in one step: n texts, padded to the longest of them.
struct TextBatch {
  std::int64_t step = 0;    ///< Counted from 0 through all epochs.
  std::int64_t epoch = 0;   ///< The pass over the data set that it belongs to.
  std::int64_t length = 0;  ///< Tokens of the longest text.
  /// [n, 2, length]: ids, then types; -1 behind the end of a text.
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> labels;   ///< [n]
  std::vector<float> targets;         ///< [n, classes], smoothed, each row with a sum of 1.
  std::vector<std::int64_t> indices;  ///< [n], where the texts stand in the data set.

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

/// How texts become batches. The defaults are for training.
struct TextLoaderOptions {
  int batch_size = 32;
  std::uint64_t seed = 0;  ///< Decides the order, together with the epoch.
  /// Each epoch in an order of its own; off: all texts sorted by length, for evaluation.
  bool shuffle = true;
  /// Leave out what does not fill a batch at the end of an epoch, other texts each time; off: one
  /// batch is shorter.
  bool drop_last = true;
  /// Texts of so many batches, drawn at random, are sorted by length before they are cut into
  /// batches, which then follow in random order: texts of a batch are of about the same length.
  int bucket = 50;
  double label_smoothing = 0;
};

/// Options of passes over all texts, with a shorter last batch.
TextLoaderOptions text_evaluation_options(int batch_size);

/// Batches of texts. What step t holds is a function of the texts, the options' seed and t.
class TextLoader {
 public:
  /// Throws std::invalid_argument if the options are out of range, a label is not 0 to
  /// `num_classes` - 1, a text has no tokens or other types than ids, or there are too few texts
  /// for one batch.
  TextLoader(std::vector<TokenSample> samples, int num_classes, const TextLoaderOptions& options);

  const std::vector<TokenSample>& samples() const { return samples_; }
  int num_classes() const { return num_classes_; }
  std::int64_t steps_per_epoch() const;

  /// The step that next() returns next.
  std::int64_t step() const { return step_; }
  /// The next batch.
  TextBatch next();
  /// Makes next() return `step`. Throws std::invalid_argument if it is negative.
  void seek(std::int64_t step);

 private:
  /// The texts of an epoch, batch after batch.
  std::vector<std::uint32_t> order_of(std::int64_t epoch) const;

  std::vector<TokenSample> samples_;
  int num_classes_;
  TextLoaderOptions options_;
  std::int64_t step_ = 0;
  std::int64_t epoch_ = -1;  ///< Of order_.
  std::vector<std::uint32_t> order_;
};

}  // namespace tokensieve
