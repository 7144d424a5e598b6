#include "tokensieve/core/error.h"
#include "tokensieve/core/scorer.h"

namespace tokensieve {
namespace {

/// The next output of a splitmix64 generator in state `x`: a good 64-bit hash.
uint64_t splitmix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// Uniform in [0, 1), from the 24 bits a float32 can hold.
float uniform(uint64_t hash) { return static_cast<float>(hash >> 40) * 0x1p-24f; }

class RandomScorer final : public Scorer {
 public:
  explicit RandomScorer(uint64_t seed) : seed_(seed) {}

  AttentionRequest attention_request() const override { return AttentionRequest::none; }
  std::string_view score_name() const override { return "random number"; }

  void score(const SiteInput& input, std::span<float> scores) const override {
    const RaggedLayout& layout = input.layout;
    const std::span<const int32_t> origin = input.columns.origin();
    check_argument(static_cast<int64_t>(input.sample_keys.size()) == layout.batch(),
                   "[random] expected ", layout.batch(), " sample keys, got ",
                   input.sample_keys.size());
    check_argument(origin.size() == scores.size(), "[random] expected columns of ", scores.size(),
                   " rows, got ", origin.size());
    for (int64_t sample = 0; sample < layout.batch(); ++sample) {
      uint64_t stream = splitmix64(seed_);
      stream = splitmix64(stream ^ input.sample_keys[static_cast<size_t>(sample)]);
      stream = splitmix64(stream ^ static_cast<uint64_t>(input.site_index));
      for (int64_t row = layout.offset(sample); row < layout.offset(sample + 1); ++row) {
        const auto i = static_cast<size_t>(row);
        scores[i] = uniform(splitmix64(stream ^ static_cast<uint32_t>(origin[i])));
      }
    }
  }

 private:
  uint64_t seed_;
};

}  // namespace

std::unique_ptr<Scorer> random_scorer(uint64_t seed) {
  return std::make_unique<RandomScorer>(seed);
}

}  // namespace tokensieve
