#include "tokensieve/core/retention_trace.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr float kRounding = 1e-4f;  // by which the weights of a mean may miss 1

Fate fate_in(const TokenPlan& plan, int64_t output_row) {
  if (plan.is_copy(output_row)) return Fate::kept;
  float sum = 0.0f;
  for (const Source& source : plan.sources(output_row)) sum += source.weight;
  return std::abs(sum - 1.0f) <= kRounding ? Fate::merged : Fate::fused;
}

/// The state before the first site: token `i` alone in row `num_prefix_tokens + i`.
SiteTrace untouched(const RetentionTrace& trace) {
  const auto count = static_cast<size_t>(trace.num_tokens);
  SiteTrace state;
  state.row.resize(count);
  std::iota(state.row.begin(), state.row.end(), trace.num_prefix_tokens);
  state.weight.assign(count, 1.0f);
  state.fate.assign(count, Fate::kept);
  for (int32_t prefix = 0; prefix < trace.num_prefix_tokens; ++prefix) {
    state.origin.push_back(-1 - prefix);
  }
  for (int32_t token = 0; token < trace.num_tokens; ++token) state.origin.push_back(token);
  return state;
}

/// The places of the rows that `plan` leaves of a sample; `origin` has those of its input rows.
std::vector<int32_t> moved(const TokenPlan& plan, int64_t sample, std::span<const int32_t> origin) {
  std::vector<int32_t> places;
  const int64_t first = plan.output_layout().offset(sample);
  for (int64_t row = first; row < first + plan.output_layout().count(sample); ++row) {
    places.push_back(origin[static_cast<size_t>(plan.sources(row).front().row)]);
  }
  return places;
}

/// One token through one site; `state` holds what it was before. `fates` are those of the output
/// rows for a token that was alone in its row.
void follow(SiteTrace& state, size_t token, std::span<const Destination> destinations,
            std::span<const Fate> fates, std::span<const float> scores,
            std::span<const int32_t> draws) {
  if (state.fate[token] == Fate::dropped) return;
  const auto from = static_cast<size_t>(state.row[token]);
  const Destination& to = destinations[from];
  if (!scores.empty()) state.score[token] = scores[from];
  if (!draws.empty()) state.draws[token] = draws[from];
  state.row[token] = to.row;
  state.weight[token] *= to.weight;
  // Once in a sum, never alone again: kept, merged, fused and dropped only get worse.
  const Fate fate = to.row < 0 ? Fate::dropped : fates[static_cast<size_t>(to.row)];
  state.fate[token] = std::max(state.fate[token], fate);
}

}  // namespace

std::vector<int32_t> RetentionTrace::kept_indices(int s) const {
  const int count = static_cast<int>(sites.size());
  check_argument(s >= -1 && s < count, "[retention_trace] expected a site in [-1, ", count,
                 "), got ", s);
  std::vector<int32_t> kept;
  for (int32_t token = 0; token < num_tokens; ++token) {
    const auto has_own_row = [&](const SiteTrace& state) {
      return state.fate[static_cast<size_t>(token)] == Fate::kept;
    };
    if (sites.empty() || has_own_row(sites[static_cast<size_t>(s < 0 ? count - 1 : s)])) {
      kept.push_back(token);
    }
  }
  return kept;
}

std::vector<int> RetentionTrace::dropped_at() const {
  std::vector<int> layer(static_cast<size_t>(num_tokens), -1);
  for (const SiteTrace& state : sites) {
    for (size_t token = 0; token < layer.size(); ++token) {
      if (layer[token] < 0 && state.fate[token] != Fate::kept) layer[token] = state.site.layer;
    }
  }
  return layer;
}

void TraceRecorder::reset(const RaggedLayout& layout, int num_prefix_tokens) {
  traces_.clear();
  for (int64_t sample = 0; sample < layout.batch(); ++sample) {
    const int64_t tokens = layout.count(sample) - num_prefix_tokens;
    check_argument(tokens >= 0, "[trace_recorder] expected at least the ", num_prefix_tokens,
                   " prefix rows in sample ", sample, ", got ", layout.count(sample));
    traces_.push_back({tokens, num_prefix_tokens, {}});
  }
  live_.resize(traces_.size());
  std::iota(live_.begin(), live_.end(), size_t{0});
  layout_ = layout;
}

void TraceRecorder::record(const Site& site, const TokenPlan& plan, std::span<const float> scores,
                           std::string_view score_name, std::span<const int32_t> draws) {
  check_argument(plan.input_layout() == layout_, "[trace_recorder] expected a plan for ",
                 layout_.batch(), " samples with ", layout_.rows(), " rows, got one for ",
                 plan.batch(), " with ", plan.input_layout().rows(), " or in other places");
  check_argument(scores.empty() || static_cast<int64_t>(scores.size()) == layout_.rows(),
                 "[trace_recorder] expected ", layout_.rows(), " scores or none, got ",
                 scores.size());
  check_argument(draws.empty() || static_cast<int64_t>(draws.size()) == layout_.rows(),
                 "[trace_recorder] expected ", layout_.rows(), " draws or none, got ",
                 draws.size());
  for (int64_t sample = 0; sample < plan.batch(); ++sample) {
    RetentionTrace& trace = traces_[live_[static_cast<size_t>(sample)]];
    SiteTrace state = trace.sites.empty() ? untouched(trace) : trace.sites.back();
    state.site = site;
    state.score_name = score_name;
    state.rows = plan.output_layout().count(sample);
    state.score.assign(state.row.size(), std::numeric_limits<float>::quiet_NaN());
    state.origin = moved(plan, sample, state.origin);
    state.draws.assign(draws.empty() ? 0 : state.row.size(), 0);
    const std::vector<Destination> to = plan.destinations(sample);
    std::vector<Fate> fates;
    for (int64_t row = 0; row < state.rows; ++row) {
      fates.push_back(fate_in(plan, plan.output_layout().offset(sample) + row));
    }
    const auto own = [&](auto values) {  // of the sample's rows
      return values.empty()
                 ? values
                 : values.subspan(static_cast<size_t>(layout_.offset(sample)), to.size());
    };
    for (size_t token = 0; token < state.row.size(); ++token) {
      follow(state, token, to, fates, own(scores), own(draws));
    }
    trace.sites.push_back(std::move(state));
  }
  layout_ = plan.output_layout();
}

void TraceRecorder::select(std::span<const int64_t> samples, int exit_layer) {
  layout_ = layout_.select(samples);
  std::vector<size_t> live;
  for (const int64_t sample : samples) live.push_back(live_[static_cast<size_t>(sample)]);
  for (const size_t trace : live_) {
    if (!std::ranges::binary_search(live, trace)) traces_[trace].exit_layer = exit_layer;
  }
  live_ = std::move(live);
}

std::vector<RetentionTrace> TraceRecorder::take() {
  layout_.clear();
  return std::exchange(traces_, {});
}

}  // namespace tokensieve
