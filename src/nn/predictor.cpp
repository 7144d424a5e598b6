#include "tokensieve/nn/predictor.h"

#include "tokensieve/core/error.h"
#include "tokensieve/nn/linear.h"

namespace tokensieve::nn {
namespace {

constexpr double kNormEps = 1e-5;  // the framework's default, not the backbone's 1e-6

torch::Tensor gumbel_like(const torch::Tensor& x) {
  return -torch::empty_like(x, x.options().requires_grad(false)).exponential_().log();
}

// Standard deviation of the scores that gumbel_top_k() ranks; its noise has 1.8.
constexpr double kSpread = 2.0;
constexpr double kLeastVariance = 0.01;  // scores of a fresh predictor, which mean little yet

torch::Tensor keep_logit(const torch::Tensor& log_probabilities) {
  return log_probabilities.select(-1, 0) - log_probabilities.select(-1, 1);
}

/// `score` `[B, N]` with mean 0 and variance 1 over the racers of each sample.
torch::Tensor standardized(const torch::Tensor& score, const torch::Tensor& racers) {
  const torch::Tensor count = racers.sum(1, true).clamp_min(1);
  const torch::Tensor centred = score - (score * racers).sum(1, true) / count;
  const torch::Tensor variance = (centred.square() * racers).sum(1, true) / count;
  return centred * torch::rsqrt(variance + kLeastVariance);
}

}  // namespace

PredictorImpl::PredictorImpl(int64_t dim) {
  using torch::nn::GELU;
  in_conv_ = register_module(
      "in_conv",
      torch::nn::Sequential(torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}).eps(kNormEps)),
                            Linear(dim, dim), GELU()));
  out_conv_ = register_module(
      "out_conv", torch::nn::Sequential(Linear(dim, dim / 2), GELU(), Linear(dim / 2, dim / 4),
                                        GELU(), Linear(dim / 4, 2)));
}

torch::Tensor PredictorImpl::forward(const torch::Tensor& tokens, const torch::Tensor& policy) {
  const torch::Tensor u = in_conv_->forward(tokens);
  const auto halves = u.chunk(2, -1);
  // Sums over tokens need float32: bfloat16 cannot count them. A sample with nothing left would
  // divide by zero; the official code does.
  const auto sums = u.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
  const torch::Tensor keep = policy.unsqueeze(-1).to(sums);
  const torch::Tensor mean =
      (halves[1].to(sums) * keep).sum(1, true) / keep.sum(1, true).clamp_min(1);
  const torch::Tensor global = mean.to(u.scalar_type());
  const torch::Tensor z = torch::cat({halves[0], global.expand_as(halves[1])}, -1);
  const torch::Tensor out = out_conv_->forward(z);
  return torch::log_softmax(out.scalar_type() == torch::kDouble ? out : out.to(torch::kFloat), -1);
}

torch::Tensor gumbel_keep(const torch::Tensor& log_probabilities) {
  const torch::Tensor y = torch::softmax(log_probabilities + gumbel_like(log_probabilities), -1);
  const torch::Tensor keep = y.select(-1, 0);
  const torch::Tensor hard = (keep >= y.select(-1, 1)).to(y.scalar_type());
  return hard - keep.detach() + keep;
}

torch::Tensor gumbel_top_k(const torch::Tensor& log_probabilities, const torch::Tensor& policy,
                           int64_t k) {
  const int64_t n = policy.size(1);
  check_argument(k >= 1 && k <= n, "[gumbel_top_k] expected k from 1 to ", n, ", got ", k);
  const torch::Tensor racers = (policy.detach() >= 0.5).to(log_probabilities.scalar_type());
  const torch::Tensor score = standardized(keep_logit(log_probabilities), racers) * kSpread;
  // The difference of two Gumbel draws is logistic: the same noise as gumbel_keep's.
  const torch::Tensor noisy = score + gumbel_like(score) - gumbel_like(score);
  const torch::Tensor racing =
      noisy.detach().masked_fill(racers < 0.5, -std::numeric_limits<double>::infinity());
  const auto [best, indices] = racing.topk(std::min(k + 1, n), -1);
  const torch::Tensor hard =
      torch::zeros_like(racing).scatter_(1, indices.slice(1, 0, k), 1.0) * racers;
  const torch::Tensor last = best.slice(1, k - 1, k);
  const torch::Tensor next = best.slice(1, best.size(1) - 1, best.size(1));
  torch::Tensor boundary = torch::where(torch::isfinite(next), (last + next) / 2, last);
  boundary = torch::where(torch::isfinite(boundary), boundary, torch::zeros_like(boundary));
  const torch::Tensor soft = torch::sigmoid(noisy - boundary) * racers;
  return hard - soft.detach() + soft;
}

}  // namespace tokensieve::nn
