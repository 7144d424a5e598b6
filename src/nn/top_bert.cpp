#include "tokensieve/nn/top_bert.h"

#include <algorithm>
#include <cmath>

#include "parameter_names.h"
#include "row_selection.h"
#include "tokensieve/core/error.h"

namespace tokensieve::nn {
namespace {

constexpr double kBeta = 2.0 / 3, kGamma = -0.1, kZeta = 1.1;
constexpr double kLeastNoise = 1e-6;
constexpr double kFirstOdds = 10, kOddsStd = 0.01;
constexpr int64_t kMostRecipeBytes = 3900;  // of 4,096, the rest for its other words
constexpr double kRankEps = 1e-6;
const double kMostOdds = std::log(100.0);

/// Where tokens but the class token are alive.
torch::Tensor without_class(const torch::Tensor& alive) {
  return torch::cat({torch::zeros_like(alive.slice(1, 0, 1)), alive.slice(1, 1)}, 1);
}

/// Ranks `[B, n]` by score among the alive, 0 the best; after them what is not.
torch::Tensor ranks_of(const torch::Tensor& scores, const torch::Tensor& alive) {
  const torch::Tensor order = scores.detach()
                                  .to(torch::kDouble)
                                  .masked_fill(alive == 0, -1e300)
                                  .argsort(
                                      /*stable=*/true, /*dim=*/1, /*descending=*/true);
  const torch::Tensor places =
      torch::arange(scores.size(1), order.options()).unsqueeze(0).expand_as(order);
  return torch::zeros_like(order).scatter(1, order, places);
}

}  // namespace

torch::Tensor hard_concrete(const torch::Tensor& a, const torch::Tensor& u) {
  const torch::Tensor noise = u.clamp(kLeastNoise, 1 - kLeastNoise);
  const torch::Tensor s = torch::sigmoid((noise.log() - (1 - noise).log() + a) / kBeta);
  return (s * (kZeta - kGamma) + kGamma).clamp(0, 1);
}

torch::Tensor open_probability(const torch::Tensor& a) {
  const double x0 = -kGamma / (kZeta - kGamma);
  const double shift = kBeta * std::log(x0 / (1 - x0));
  return 1 - torch::sigmoid(shift - a).clamp(kLeastNoise, 1 - kLeastNoise);
}

torch::Tensor decided_gates(const torch::Tensor& a) {
  const torch::Tensor odds = a.detach();
  const double expected =
      static_cast<double>(odds.numel()) - open_probability(odds).sum().item<double>();
  const auto closed = static_cast<int64_t>(std::nearbyint(expected));  // half to even
  torch::Tensor gates = torch::ones_like(odds);
  if (closed > 0) {
    const torch::Tensor order = odds.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/false);
    gates.index_fill_(0, order.slice(0, 0, closed), 0);
  }
  return gates;
}

torch::Tensor rank_bins(const torch::Tensor& scores, const torch::Tensor& alive, int64_t bins) {
  const torch::Tensor others = without_class(alive) > 0;
  const torch::Tensor rank = ranks_of(scores, others).to(torch::kDouble);
  const torch::Tensor count = others.sum(1, true).to(torch::kDouble);
  const torch::Tensor share = (rank / (count + kRankEps)).clamp(0, 1);
  return (share * static_cast<double>(bins))
      .floor()
      .to(torch::kLong)
      .masked_fill(others.logical_not(), bins);
}

torch::Tensor lambda_arp(const torch::Tensor& scores, const torch::Tensor& y) {
  const torch::Tensor more = (y.unsqueeze(2) - y.unsqueeze(1)).clamp_min(0);
  const torch::Tensor ahead = scores.unsqueeze(2) - scores.unsqueeze(1);
  const auto k = static_cast<double>(scores.size(1));
  const torch::Tensor cost = torch::softplus(-ahead) / std::log(2.0);
  return ((more * cost).sum({1, 2}) / (k * k)).mean();
}

torch::Tensor ranking_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                           const torch::Tensor& alive, int64_t top) {
  const torch::Tensor others = without_class(alive) > 0;
  const torch::Tensor rank = ranks_of(teacher, others);
  const int64_t k = std::min(top, student.size(1) - 1);
  if (k < 1) return (student * 0).sum();
  const torch::Tensor y = others.sum(1, true) - rank;
  auto [best, place] = y.topk(k, 1);
  best = best.clamp_min(0);
  const torch::Tensor scores = student.gather(1, place).masked_fill(best == 0, 0.0);
  best = best - best.amin(1, true);
  const torch::Tensor lone = (best == 0).sum(1, true) == 1;
  best = torch::where(lone, best + 1, best);
  return lambda_arp(scores, best.to(scores.scalar_type()));
}

torch::Tensor counted_macs(const BertConfig& config, const std::vector<torch::Tensor>& lengths) {
  check_argument(std::ssize(lengths) == config.depth(),
                 "[counted_macs] expected lengths for each of ", config.depth(), " blocks, got ",
                 lengths.size());
  const double dim = config.embed_dim, head = config.head_dim;
  torch::Tensor sum;
  for (size_t l = 0; l < lengths.size(); ++l) {
    const torch::Tensor& n = lengths[l];
    const torch::Tensor& next = lengths[std::min(l + 1, lengths.size() - 1)];
    const double heads = config.num_heads[l], hidden = config.mlp_dim[l];
    const torch::Tensor macs = (heads * (3 * dim * head * n + (2 * head + 1) * n * n) +
                                dim * heads * head * n + 2 * dim * hidden * next) /
                               1e9;
    sum = sum.defined() ? sum + macs : macs;
  }
  return sum;
}

TopBertImpl::TopBertImpl(const BertConfig& config, int first, int64_t bins, double dropout)
    : BertImpl(config, dropout), first_(first) {
  check_argument(first >= 1 && first < config.depth(),
                 "[top_bert] expected the first block that drops from 1 to ", config.depth() - 1,
                 ", got ", first);
  const int64_t most = kMostRecipeBytes / sites() - 1;  // a bin is a letter there
  check_argument(bins >= 1 && bins <= most, "[top_bert] expected 1 to ", most, " bins at ", sites(),
                 " sites, as many as a recipe can name, got ", bins);
  for (int l = first - 1; l + 1 < config.depth(); ++l) {
    check_argument(config.num_heads[static_cast<size_t>(l)] > 0,
                   "[top_bert] expected an attention in block ", l, " to score by");
  }
  bins_ = register_parameter(std::string(kRankBins),
                             torch::randn({sites(), bins}) * kOddsStd + kFirstOdds);
  gates_ =
      register_parameter(std::string(kSiteGates), torch::randn({sites()}) * kOddsStd - kFirstOdds);
  multipliers_ = register_parameter(std::string(kMultipliers), torch::zeros({2}));
}

void TopBertImpl::clamp_gates() {
  torch::NoGradGuard guard;
  bins_.clamp_(-kMostOdds, kMostOdds);
  gates_.clamp_(-kMostOdds, kMostOdds);
}

RankBins TopBertImpl::decided_bins() const {
  RankBins decided;
  for (int64_t s = 0; s < sites(); ++s) {
    const bool prunes =
        std::nearbyint(1 - open_probability(gates_.detach()[s]).item<double>()) == 0;
    const torch::Tensor open = prunes ? decided_gates(bins_[s]) : torch::ones_like(bins_[s]);
    std::vector<bool>& site = decided.emplace_back();
    for (int64_t q = 0; q < open.size(0); ++q) site.push_back(open[q].item<float>() > 0);
  }
  return decided;
}

TopOutput TopBertImpl::forward_soft(const torch::Tensor& tokens) {
  torch::Tensor x = embed(tokens);
  const torch::Tensor there = present(tokens), bias = bias_of(there);
  const torch::Tensor z = hard_concrete(bins_, torch::rand_like(bins_.detach()));
  const torch::Tensor g = hard_concrete(gates_, torch::rand_like(gates_.detach()));
  const torch::Tensor hard = (g > 0).to(g.scalar_type());
  const torch::Tensor gate = hard - g.detach() + g;  // straight through
  torch::Tensor kept = there;
  TopOutput output;
  for (int l = 0; l < config().depth(); ++l) {
    if (l >= first_) {
      const int64_t s = l - first_;
      const torch::Tensor live = (kept.detach() > 0).to(there.scalar_type());
      const torch::Tensor bin = rank_bins(output.scores.back(), live, z.size(1));
      const torch::Tensor masks = torch::cat({z[s], torch::zeros({1}, z.options())});
      // Not index(): its gradient adds in another order each time, and a run must resume exactly.
      const torch::Tensor chosen = masks.index_select(0, bin.flatten()).view_as(bin);
      const torch::Tensor mask = (1 - (1 - chosen) * gate[s]) * live;
      kept = torch::cat({torch::ones_like(mask.slice(1, 0, 1)), mask.slice(1, 1)}, 1);
      output.kept.push_back(kept);
      x = x * kept.to(x.scalar_type()).unsqueeze(-1);
    }
    const torch::Tensor live = (kept.detach() > 0).to(there.scalar_type());
    const auto [rows, scores] = attend(l, x, bias, live);
    output.scores.push_back(scores);
    x = mlp(l, rows);
  }
  output.class_rows = x.select(1, 0);
  return output;
}

TopOutput TopBertImpl::forward_hard(const torch::Tensor& tokens) {
  torch::Tensor x = embed(tokens);
  const auto selector = rank_bins_selector(decided_bins());
  const torch::Tensor there = present(tokens);
  torch::Tensor kept = there, score;
  TopOutput output;
  for (int l = 0; l < config().depth(); ++l) {
    if (l >= first_) {
      kept = selected_tokens(*selector, score, kept, there, l - first_);
      output.kept.push_back(kept);
    }
    if (l + 1 >= first_ && l + 1 < config().depth()) {  // a site follows
      const auto [rows, scores] = attend(l, x, bias_of(kept), kept);
      score = scores;
      x = rows;
    } else {
      x = attend(l, x, bias_of(kept));
    }
    x = mlp(l, x);
  }
  output.class_rows = x.select(1, 0);
  return output;
}

torch::Tensor TopBertImpl::expected_sparsity(const torch::Tensor& tokens) const {
  torch::Tensor rows = tokens - 1;
  std::vector<torch::Tensor> lengths, full;
  for (int l = 0; l < config().depth(); ++l) {
    if (l >= first_) {
      const int64_t s = l - first_;
      rows = rows * (1 - (1 - open_probability(bins_[s]).mean()) * open_probability(gates_[s]));
    }
    lengths.push_back(rows + 1);
    full.push_back(tokens);
  }
  return 1 - counted_macs(config(), lengths).sum() / counted_macs(config(), full).sum();
}

torch::Tensor TopBertImpl::lagrangian(const torch::Tensor& sparsity, double target) const {
  // The same value with the gradient turned round: an optimizer that descends then climbs.
  const torch::Tensor climbing = 2 * multipliers_.detach() - multipliers_;
  const torch::Tensor miss = sparsity - target;
  return climbing[0] * miss + climbing[1] * miss * miss;
}

}  // namespace tokensieve::nn
