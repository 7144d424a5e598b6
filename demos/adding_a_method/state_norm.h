// A method of your own: patches whose hidden state is long stay.
#pragma once

#include <cmath>
#include <span>
#include <string_view>

#include "tokensieve/core/error.h"
#include "tokensieve/core/scorer.h"

/// The Euclidean length of each row's hidden state, before the site.
class StateNormScorer final : public tokensieve::Scorer {
 public:
  tokensieve::AttentionRequest attention_request() const override {
    return tokensieve::AttentionRequest::none;
  }
  std::string_view score_name() const override { return "length of the state"; }

  void score(const tokensieve::SiteInput& input, std::span<float> scores) const override {
    const auto& state = input.state;
    tokensieve::check_argument(state.rows == std::ssize(scores), "[state_norm] expected ",
                               scores.size(), " rows, got ", state.rows);
    for (int64_t row = 0; row < state.rows; ++row) {
      float sum = 0.0f;
      for (const float value : state.row(row)) sum += value * value;
      scores[static_cast<size_t>(row)] = std::sqrt(sum);
    }
  }
};
