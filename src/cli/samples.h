#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loaded_model.h"
#include "tokensieve/io/dataset.h"
#include "tokensieve/io/image.h"
#include "tokensieve/io/text_dataset.h"

namespace tokensieve::cli {

/// What models are measured on: pictures or texts, with the model's classes.
class Samples {
 public:
  virtual ~Samples() = default;
  virtual size_t size() const = 0;
  /// The file of a picture; the number of a text in its file, counted from 1.
  virtual std::string name(size_t index) const = 0;
  /// Its class; -1 where that is not known.
  virtual int label(size_t index) const = 0;
  /// What the network reads of it. Serves many threads. Throws std::runtime_error for a file that
  /// cannot be read.
  virtual Input read(size_t index) const = 0;
};

/// Pictures, as `classifier` preprocesses them.
class PictureSamples final : public Samples {
 public:
  PictureSamples(const Classifier& classifier, std::vector<Sample> samples,
                 const DecodeOptions& decode);
  size_t size() const override { return samples_.size(); }
  std::string name(size_t index) const override { return samples_[index].path.string(); }
  int label(size_t index) const override { return samples_[index].label; }
  Input read(size_t index) const override;

 private:
  const Classifier& classifier_;
  const std::vector<Sample> samples_;
  const DecodeOptions decode_;
};

/// Texts, of each its first `max_tokens` tokens, special ones among them.
class TextSamples final : public Samples {
 public:
  TextSamples(std::shared_ptr<const TextDataset> data, std::shared_ptr<const Tokenizer> tokenizer,
              int max_tokens);
  size_t size() const override { return data_->samples.size(); }
  std::string name(size_t index) const override { return std::to_string(index + 1); }
  int label(size_t index) const override { return data_->samples[index].label; }
  Input read(size_t index) const override;

  int max_tokens() const { return max_tokens_; }
  /// The same texts cut off after so many tokens, where they are not already.
  TextSamples truncated(int max_tokens) const;

 private:
  const std::shared_ptr<const TextDataset> data_;
  const std::shared_ptr<const Tokenizer> tokenizer_;
  const int max_tokens_;
};

/// Indices of at most `limit` of `total` samples (0: of all), evenly spread, so that a few of a
/// sorted data set still show all classes.
std::vector<size_t> spread(size_t total, size_t limit);

}  // namespace tokensieve::cli
