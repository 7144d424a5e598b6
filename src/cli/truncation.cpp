#include "truncation.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <CLI/CLI.hpp>

#include "tokensieve/core/error.h"
#include "tokensieve/core/macs.h"

namespace tokensieve::cli {
namespace {

constexpr int kFewestTokens = 4;  // the special ones of a pair

// 0 for "equal".
int parse_length(const std::string& text) {
  if (text == "equal") return 0;
  int tokens = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), tokens);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  check_argument(whole && tokens >= kFewestTokens,
                 "[truncate] expected 'equal' or a number of tokens of ", kFewestTokens,
                 " or more, got '", text, "'");
  return tokens;
}

/// MACs of the dense network on all texts of an evaluation, cut off after so many tokens.
class DenseMacs {
 public:
  explicit DenseMacs(const Evaluation& evaluation)
      : config_(*evaluation.results.front().contender.model->folder().bert) {
    for (const int64_t length : evaluation.lengths) ++counts_[length];
  }

  double at(int64_t tokens) const {
    double macs = 0.0;
    for (const auto& [length, count] : counts_) {
      const auto dense = count_dense_macs(config_, std::min(length, tokens)).total();
      macs += static_cast<double>(count) * static_cast<double>(dense);
    }
    return macs;
  }
  int longest() const { return static_cast<int>(counts_.rbegin()->first); }

 private:
  const BertConfig& config_;
  std::map<int64_t, int64_t> counts_;  // texts of each length
};

}  // namespace

void TruncateOption::add_to(CLI::App& command) {
  command
      .add_option(
          "--truncate", texts,
          "Add dense on texts cut off after N tokens, or 'equal': at the MACs of each recipe")
      ->type_name("N...");
}

void TruncateOption::check() const {
  for (const std::string& text : texts) parse_length(text);
}

std::vector<int> TruncateOption::lengths(const Evaluation& evaluation) const {
  std::set<int> lengths;
  for (const std::string& text : texts) {
    const int tokens = parse_length(text);
    if (tokens > 0) {
      lengths.insert(tokens);
      continue;
    }
    const auto equal = equal_truncations(evaluation);
    lengths.insert(equal.begin(), equal.end());
  }
  return {lengths.begin(), lengths.end()};
}

std::vector<int> equal_truncations(const Evaluation& evaluation) {
  const DenseMacs dense(evaluation);
  std::set<int> lengths;
  for (const RecipeResult& result : evaluation.results) {
    double macs = 0.0;
    for (const int64_t of_text : result.macs) macs += static_cast<double>(of_text);
    int low = kFewestTokens, high = dense.longest();
    while (low < high) {
      const int middle = low + (high - low) / 2;
      if (dense.at(middle) < macs) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low < dense.longest()) lengths.insert(low);
  }
  return {lengths.begin(), lengths.end()};
}

std::vector<Contender> truncated(const Contender& dense, const std::vector<int>& lengths,
                                 std::deque<TextSamples>& samples) {
  const auto& all = dynamic_cast<const TextSamples&>(*dense.samples);
  std::vector<Contender> contenders;
  for (const int tokens : lengths) {
    samples.push_back(all.truncated(tokens));
    const NamedRecipe name{cat("truncate(", tokens, ")"), Recipe()};
    contenders.push_back({dense.model, name, &samples.back(), tokens});
  }
  return contenders;
}

}  // namespace tokensieve::cli
