#include "ragged_run.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernels/layer_norm.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

RaggedRun::RaggedRun(const Network& network, const Schedule& schedule, Workspace::Buffers& buffers)
    : network_(network), schedule_(schedule), buffers_(buffers) {
  buffers_.executed_macs = 0;
}

void RaggedRun::start(std::vector<int64_t> counts, std::vector<uint64_t> sample_keys) {
  const int prefix = network_.num_prefix_tokens;
  input_counts_ = std::move(counts);
  sample_keys_ = std::move(sample_keys);
  for (const int64_t count : input_counts_) layout_.push_back(prefix + count);
  samples_.resize(input_counts_.size());
  std::iota(samples_.begin(), samples_.end(), int64_t{0});
  layers_.assign(input_counts_.size(),
                 std::vector<LayerTokens>(static_cast<size_t>(network_.depth)));
  buffers_.columns.reset(layout_, prefix);
  buffers_.recorder.reset(layout_, prefix);
  buffers_.record.clear();
  // Both state buffers get their full size at once: they change places at every site.
  const RowsView<float> x = state();
  if (!schedule_.sites().empty()) buffers_.next_state.rows<float>(x.rows, x.cols);
}

RowsView<float> RaggedRun::state() {
  return buffers_.state.rows<float>(layout_.rows(), network_.dim);
}

void RaggedRun::note(int layer, int64_t LayerTokens::*rows) {
  for (int64_t b = 0; b < layout_.batch(); ++b) tokens_of(b, layer).*rows = layout_.count(b);
}

RowsView<float> RaggedRun::attend(const Linear& qkv, RowsView<const float> x, int num_heads,
                                  int layer) {
  AttentionInput input;
  input.qkv = buffers_.linear(qkv, x, buffers_.qkv, Epilogue::none);
  input.num_heads = num_heads;
  input.head_dim = network_.head_dim;
  const RaggedLayout keys = layout_;
  input.layout = &keys;
  if (schedule_.proportional_attention()) input.key_bias = key_bias();
  mask(layer, input);

  AttentionOutput output =
      buffers_.record.prepare(schedule_.attention_request(layer), num_heads, keys);
  const ScheduledSite* site = schedule_.find({layer, SitePosition::inside_attention});
  Reduction inside;
  if (site) {
    // The decision needs the scores before the queries are chosen: a first pass hands over the
    // by-products only (one row of a head for class attention), a second one computes what is left.
    score_queries(input, output, layer);
    buffers_.record.finish(input);
    inside = reduce(*site);
    check_argument(inside.plan.is_gather(), network_.name, " the site ", to_string(site->site),
                   " must keep or drop rows; it cannot merge them, its queries are single rows");
    output = {};
    follow(inside.plan);
    input.query_layout = &inside.plan.output_layout();
    input.query_rows = inside.plan.copied_rows().data();
  }
  output.rows =
      buffers_.attended.rows<float>(layout_.rows(), int64_t{num_heads} * network_.head_dim);
  count_masked_pairs(layer, input);
  run_attention(input, output);
  if (!site) buffers_.record.finish(input);
  return output.rows;
}

int64_t RaggedRun::masked_pairs(const AttentionInput& input, int64_t sample) const {
  const RaggedLayout& queries = input.query_layout ? *input.query_layout : *input.layout;
  if (input.tables->offsets[static_cast<size_t>(sample)] >= 0) {
    return queries.count(sample) * input.layout->count(sample);
  }
  int64_t pairs = 0;
  for (int64_t q = queries.offset(sample); q < queries.offset(sample + 1); ++q) {
    pairs += std::ssize(input.neighbourhoods->of_row(input.query_rows ? input.query_rows[q] : q));
  }
  return pairs;
}

void RaggedRun::count_masked_pairs(int layer, const AttentionInput& input) {
  if (input.masked_heads.empty()) return;
  for (int64_t b = 0; b < input.layout->batch(); ++b) {
    tokens_of(b, layer).masked_pairs = masked_pairs(input, b);
  }
}

std::span<const float> RaggedRun::key_bias() {
  const std::span<const float> sizes = buffers_.columns.size();
  buffers_.key_bias.resize(sizes.size());
  std::ranges::transform(sizes, buffers_.key_bias.begin(),
                         [](float size) { return std::log(size); });
  return buffers_.key_bias;
}

void RaggedRun::score_queries(const AttentionInput& input, const AttentionOutput& output,
                              int layer) {
  const bool all = !output.column_mean.empty();
  if (!all && !output.class_row_per_head.data) return;
  attention(input, output, buffers_.attention);
  for (int64_t b = 0; b < layout_.batch(); ++b) {
    const int64_t scored = all ? layout_.count(b) : 1;
    tokens_of(b, layer).scored = scored;
    buffers_.executed_macs += scored * layout_.count(b) * input.num_heads * input.head_dim;
  }
}

void RaggedRun::run_attention(const AttentionInput& input, const AttentionOutput& output) {
  attention(input, output, buffers_.attention);
  const RaggedLayout& queries = input.query_layout ? *input.query_layout : *input.layout;
  const int64_t masked = std::ssize(input.masked_heads), all = input.num_heads - masked;
  for (int64_t b = 0; b < queries.batch(); ++b) {
    int64_t pairs = queries.count(b) * input.layout->count(b) * all;
    if (masked > 0) pairs += masked_pairs(input, b) * masked;
    buffers_.executed_macs += 2 * pairs * input.head_dim;
  }
}

void RaggedRun::visit(const Site& site) {
  const ScheduledSite* scheduled = schedule_.find(site);
  if (scheduled) follow(reduce(*scheduled).plan);
}

Reduction RaggedRun::reduce(const ScheduledSite& site) {
  const AttentionTrace trace = buffers_.record.view();
  const SiteInput input{.layout = layout_,
                        .state = state(),
                        .columns = buffers_.columns,
                        .attention = trace,
                        .input_counts = input_counts_,
                        .sample_keys = sample_keys_,
                        .num_prefix_tokens = network_.num_prefix_tokens,
                        .site = site.site,
                        .site_index = site.index,
                        .predictor = predictor()};
  Reduction reduction = site.reducer->reduce(input);
  reduction.plan.validate(layout_, network_.num_prefix_tokens);
  for (int64_t b = 0; b < layout_.batch(); ++b) {  // heads read means and maxima of what is left
    check_argument(reduction.plan.output_layout().count(b) > network_.num_prefix_tokens ||
                       layout_.count(b) <= network_.num_prefix_tokens,
                   "[engine] expected one row or more after the prefix of sample ", b,
                   " to stay at ", to_string(site.site), ", got none");
  }
  if (site.reducer->learned_score() != LearnedScore::none) predicted();
  buffers_.recorder.record(site.site, reduction.plan, reduction.scores, reduction.score_name,
                           reduction.draws);
  return reduction;
}

void RaggedRun::follow(const TokenPlan& plan) {
  if (plan.is_identity()) return;
  follows(plan);
  const RowsView<float> from = state();
  plan.apply(from, buffers_.next_state.rows<float>(plan.output_layout().rows(), from.cols));
  std::swap(buffers_.state, buffers_.next_state);
  buffers_.columns.apply(plan);
  buffers_.record.apply(plan);
  layout_ = plan.output_layout();
}

void RaggedRun::residual(const Linear& linear, RowsView<const float> x) {
  linear.run(x, state(), Epilogue::add, buffers_.scratchpad);
  buffers_.executed_macs += x.rows * linear.in() * linear.out();
}

void RaggedRun::normalize(const Norm& norm, RowsView<const float> x, RowsView<float> y) {
  layer_norm(x, y, norm.weight, norm.bias, network_.layer_norm_eps);
}

void RaggedRun::select(std::span<const int64_t> stay, int layer) {
  if (std::ssize(stay) == batch()) return;
  const RowsView<float> x = state();
  float* to = x.data;
  const auto pick = [&](auto& values) {
    for (size_t i = 0; i < stay.size(); ++i) values[i] = values[static_cast<size_t>(stay[i])];
    values.resize(stay.size());
  };
  for (const int64_t b : stay) {
    const float* from = x.data + layout_.offset(b) * x.cols;
    to = std::copy(from, from + layout_.count(b) * x.cols, to);
  }
  buffers_.columns.select(layout_, stay);
  buffers_.recorder.select(stay, layer);
  buffers_.record.select(layout_, stay);
  layout_ = layout_.select(stay);
  pick(input_counts_);
  pick(sample_keys_);
  pick(samples_);
}

}  // namespace tokensieve
