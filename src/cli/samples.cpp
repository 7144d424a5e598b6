#include "samples.h"

#include <algorithm>
#include <utility>

namespace tokensieve::cli {

PictureSamples::PictureSamples(const Classifier& classifier, std::vector<Sample> samples,
                               const DecodeOptions& decode)
    : classifier_(classifier), samples_(std::move(samples)), decode_(decode) {}

Input PictureSamples::read(size_t index) const {
  return classifier_.preprocess(read_image(samples_[index].path, decode_));
}

TextSamples::TextSamples(std::shared_ptr<const TextDataset> data,
                         std::shared_ptr<const Tokenizer> tokenizer, int max_tokens)
    : data_(std::move(data)), tokenizer_(std::move(tokenizer)), max_tokens_(max_tokens) {}

Input TextSamples::read(size_t index) const {
  return encode(*tokenizer_, data_->samples[index], max_tokens_);
}

TextSamples TextSamples::truncated(int max_tokens) const {
  return {data_, tokenizer_, std::min(max_tokens, max_tokens_)};
}

std::vector<size_t> spread(size_t total, size_t limit) {
  const size_t count = limit == 0 ? total : std::min(limit, total);
  std::vector<size_t> indices;
  for (size_t i = 0; i < count; ++i) indices.push_back(i * total / count);
  return indices;
}

}  // namespace tokensieve::cli
