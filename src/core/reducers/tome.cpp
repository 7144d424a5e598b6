#include "tokensieve/core/tome.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "selectors/ranking.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

/// The best partner of one even row.
struct Partner {
  int32_t row = -1;
  float similarity = kNever;
};

/// Unit-length rows `first`, `first + 2`, ... of a sample, `[dim, rows]`: a dot product with all of
/// them runs along memory.
class Rows {
 public:
  Rows(RowsView<const float> keys, int64_t first) : dim_(keys.cols) {
    for (int64_t row = first; row < keys.rows; row += 2) ++count_;
    values_.resize(static_cast<size_t>(dim_ * count_));
    for (int64_t i = 0; i < count_; ++i) {
      const std::span<const float> key = keys.row(first + 2 * i);
      float squares = 0.0f;
      for (const float value : key) squares += value * value;
      const float scale = 1.0f / std::sqrt(squares);
      for (int64_t k = 0; k < dim_; ++k) values_[k * count_ + i] = key[k] * scale;
    }
  }

  int64_t count() const { return count_; }

  /// Similarities of `other`'s row `i` to all rows of this one.
  void similarities(const Rows& other, int64_t i, std::span<float> out) const {
    std::ranges::fill(out, 0.0f);
    float* const to = out.data();
    for (int64_t k = 0; k < dim_; ++k) {
      const float factor = other.values_[k * other.count_ + i];
      const float* const line = values_.data() + k * count_;
      for (int64_t j = 0; j < count_; ++j) to[j] += factor * line[j];
    }
  }

 private:
  int64_t dim_, count_ = 0;
  std::vector<float> values_;
};

/// For each even row of a sample, in order, its partner; prefix rows have none and are none's.
/// Similarities that are not numbers do not count.
std::vector<Partner> find_partners(RowsView<const float> keys, int prefix) {
  const Rows even(keys, 0), odd(keys, 1);
  std::vector<Partner> partners(static_cast<size_t>(even.count()));
  std::vector<float> similar(static_cast<size_t>(odd.count()));
  for (int64_t a = (prefix + 1) / 2; a < even.count(); ++a) {
    odd.similarities(even, a, similar);
    Partner& partner = partners[static_cast<size_t>(a)];
    for (int64_t b = prefix / 2; b < odd.count(); ++b) {
      if (similar[b] > partner.similarity) {
        partner = {static_cast<int32_t>(2 * b + 1), similar[b]};
      }
    }
  }
  return partners;
}

class TomeReducer final : public Reducer {
 public:
  TomeReducer(std::vector<int64_t> r, bool proportional)
      : r_(std::move(r)), proportional_(proportional) {
    check_argument(!r_.empty(), "[tome] expected r, the rows to merge at a site, got none");
    for (const int64_t count : r_) {
      check_argument(count >= 0, "[tome] expected r of 0 or more, got ", count);
    }
  }

  AttentionRequest attention_request() const override { return AttentionRequest::mean_key; }
  bool is_gather() const override { return false; }
  bool has_fixed_count() const override { return true; }
  bool keeps_everything(int site_index) const override { return at(site_index) == 0; }
  bool proportional_attention() const override { return proportional_; }

  Reduction reduce(const SiteInput& input) const override {
    const RowsView<const float> keys = input.attention.mean_key;
    check_argument(keys.rows == input.layout.rows(), "[tome] expected keys of ",
                   input.layout.rows(), " rows, got ", keys.rows);
    check_argument(std::ssize(input.columns.size()) == input.layout.rows(),
                   "[tome] expected sizes of ", input.layout.rows(), " rows, got ",
                   input.columns.size().size());
    Reduction reduction;
    reduction.score_name = "similarity to the nearest key";
    reduction.scores.assign(static_cast<size_t>(input.layout.rows()),
                            std::numeric_limits<float>::quiet_NaN());
    reduction.plan.reserve(input.layout.batch(), input.layout.rows());
    for (int64_t sample = 0; sample < input.layout.batch(); ++sample) {
      plan_sample(input, sample, reduction);
    }
    return reduction;
  }

 private:
  int64_t at(int site_index) const {
    if (r_.size() == 1) return r_.front();
    const auto site = static_cast<size_t>(site_index);
    return site < r_.size() ? r_[site] : 0;
  }

  void plan_sample(const SiteInput& input, int64_t sample, Reduction& reduction) const {
    const int64_t first = input.layout.offset(sample), count = input.layout.count(sample);
    const int prefix = input.num_prefix_tokens;
    check_argument(count >= prefix, "[tome] expected at least the ", prefix,
                   " prefix rows in sample ", sample, ", got ", count);
    const RowsView<const float> all = input.attention.mean_key;
    const std::vector<Partner> partners =
        find_partners({all.data + first * all.stride, count, all.cols, all.stride}, prefix);

    std::vector<float> similarities;
    for (const Partner& partner : partners) similarities.push_back(partner.similarity);
    for (size_t a = 0; a < partners.size(); ++a) {
      if (partners[a].row >= 0) reduction.scores[first + 2 * a] = similarities[a];
    }
    std::vector<uint64_t> ranked = rank_keys(similarities);
    const auto most = static_cast<size_t>(
        std::min(at(input.site_index), std::max<int64_t>(0, (count - prefix) / 2)));
    const size_t merges = std::min(most, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<int64_t>(merges), ranked.end());
    std::vector<std::vector<int32_t>> joined(static_cast<size_t>(count));  // by odd row
    std::vector<bool> leaves(static_cast<size_t>(count), false);
    for (size_t i = 0; i < merges; ++i) {
      const size_t a = ranked_position(ranked[i]);
      if (partners[a].row < 0) break;  // ranked last: nothing to merge with
      joined[static_cast<size_t>(partners[a].row)].push_back(static_cast<int32_t>(2 * a));
      leaves[2 * a] = true;
    }

    TokenPlan& plan = reduction.plan;
    plan.begin_sample(count);
    for (int32_t row = 0; row < prefix; ++row) plan.keep(row);
    for (int32_t row = (prefix + 1) / 2 * 2; row < count; row += 2) {
      if (!leaves[static_cast<size_t>(row)]) plan.keep(row);
    }
    const std::span<const float> sizes = input.columns.size().subspan(static_cast<size_t>(first));
    std::vector<Source> sources;
    for (int32_t row = prefix / 2 * 2 + 1; row < count; row += 2) {
      std::vector<int32_t>& others = joined[static_cast<size_t>(row)];
      if (others.empty()) {
        plan.keep(row);
        continue;
      }
      std::ranges::sort(others);
      float total = sizes[static_cast<size_t>(row)];
      for (const int32_t other : others) total += sizes[static_cast<size_t>(other)];
      sources.assign(1, {row, sizes[static_cast<size_t>(row)] / total});
      for (const int32_t other : others) {
        sources.push_back({other, sizes[static_cast<size_t>(other)] / total});
      }
      plan.combine(sources);
    }
  }

  std::vector<int64_t> r_;
  bool proportional_;
};

}  // namespace

std::vector<int64_t> tome_schedule(int64_t r, double inflection, int64_t sites) {
  constexpr int64_t kMost = int64_t{1} << 32;
  check_argument(r >= 0 && r <= kMost && sites > 0 && inflection >= -1.0 && inflection <= 1.0,
                 "[tome] expected r from 0 to 2^32, an inflection in [-1, 1] and a site, got ", r,
                 ", ", inflection, " and ", sites);
  if (sites == 1) return {r};
  const auto first = static_cast<int64_t>(static_cast<double>(r) * (1.0 - inflection));
  const double step = static_cast<double>(2 * r - 2 * first) / static_cast<double>(sites - 1);
  std::vector<int64_t> merges;
  for (int64_t i = 0; i < sites; ++i) {
    merges.push_back(
        static_cast<int64_t>(static_cast<double>(first) + step * static_cast<double>(i)));
  }
  return merges;
}

std::unique_ptr<Reducer> tome_reducer(std::vector<int64_t> r, bool proportional) {
  return std::make_unique<TomeReducer>(std::move(r), proportional);
}

}  // namespace tokensieve
