#include "sample_attention.h"

#include <cmath>

#include "dropout.h"
#include "nn_test.h"
#include "tokensieve/nn/autocast.h"

using namespace tokensieve;

namespace {

constexpr int64_t kHeads = 3, kDim = 8;

torch::Tensor random_qkv(int64_t batch, int64_t n, torch::Dtype type = torch::kDouble) {
  torch::manual_seed(n);
  return torch::randn({batch, n, 3, kHeads, kDim}, torch::kDouble).mul_(1.5).to(type);
}

/// 1 for the tokens that a text has; text b lacks its last b.
torch::Tensor some_live(int64_t batch, int64_t n) {
  torch::Tensor live = torch::ones({batch, n}, torch::kDouble);
  for (int64_t b = 1; b < batch && b < n; ++b) live[b].slice(0, n - b).zero_();
  return live;
}

/// By torch's operations, in double.
nn::SampleAttention plain(const torch::Tensor& qkv, const torch::Tensor& bias,
                          const torch::Tensor& queries) {
  return nn::sample_attention_by_ops(qkv.to(torch::kDouble), bias, queries, 0);
}

/// A loss that weighs all results differently.
torch::Tensor loss_of(const nn::SampleAttention& attention) {
  const auto weighed = [](const torch::Tensor& x) {
    return (x * torch::arange(x.numel(), torch::kDouble).view_as(x).cos()).sum();
  };
  return weighed(attention.outputs) + weighed(attention.received);
}

}  // namespace

TEST_CASE("Attention equals its formula", "[nn][sample_attention]") {
  const auto type = GENERATE(torch::kDouble, torch::kFloat, torch::kBFloat16);
  const int64_t n = GENERATE(1, 5, 16, 37, 300);
  const torch::Tensor qkv = random_qkv(3, n, type), live = some_live(3, n);
  const torch::Tensor bias = (1 - live) * -10000.0;
  const nn::SampleAttention own = nn::sample_attention(qkv, bias.to(torch::kFloat), live, 0);
  const nn::SampleAttention expected = plain(qkv, bias, live);
  const double tolerance = type == torch::kDouble ? 1e-13 : (type == torch::kFloat ? 2e-6 : 2e-2);
  const auto error = [](const torch::Tensor& values, const torch::Tensor& right) {
    return test::difference(values, right) / right.abs().max().item<double>();
  };
  CHECK(own.outputs.scalar_type() == type);
  CHECK(own.received.scalar_type() == (type == torch::kDouble ? torch::kDouble : torch::kFloat));
  CHECK(error(own.outputs, expected.outputs) < tolerance);
  CHECK(error(own.received, expected.received) < tolerance);
  CHECK(test::difference(own.received.sum(1), live.sum(1)) < 1e-5 * static_cast<double>(n));
  const nn::SampleAttention bare = nn::sample_attention(qkv, {}, {}, 0);
  CHECK_FALSE(bare.received.defined());
  CHECK(error(bare.outputs, plain(qkv, {}, live).outputs) < tolerance);
}

TEST_CASE("Gradients of attention pass through dropout and both results",
          "[nn][sample_attention]") {
  const double rate = GENERATE(0.0, 0.3);
  const torch::Tensor qkv = random_qkv(2, 5), live = some_live(2, 5);
  torch::manual_seed(2);
  const torch::Tensor bias = torch::randn({2, 5}, torch::kDouble);
  const auto attention = [&](const torch::Tensor& x, const torch::Tensor& b) {
    torch::manual_seed(7);  // the same mask each time
    return nn::sample_attention(x, b, live, rate);
  };
  CHECK(test::gradient_error([&](const auto& x) { return loss_of(attention(x, bias)); }, qkv) <
        1e-7);
  CHECK(test::gradient_error([&](const auto& b) { return loss_of(attention(qkv, b)); }, bias) <
        1e-7);
  // Through one result alone.
  CHECK(test::gradient_error(
            [&](const auto& x) { return attention(x, bias).received.select(1, 2).sum(); }, qkv) <
        1e-7);
  CHECK(test::gradient_error(
            [&](const auto& x) { return attention(x, bias).outputs.select(1, 2).sum(); }, qkv) <
        1e-7);
}

TEST_CASE("Gradients in float32 and bfloat16 are those in double", "[nn][sample_attention]") {
  const auto type = GENERATE(torch::kFloat, torch::kBFloat16);
  const double rate = GENERATE(0.0, 0.2);
  const bool autocast = GENERATE(false, true);
  const torch::Tensor live = some_live(2, 40), bias = (1 - live) * -10000.0;
  const auto gradient = [&](const torch::Tensor& values, torch::Dtype as) {
    const nn::Autocast on(torch::kCPU, autocast);
    const torch::Tensor x = values.to(as).requires_grad_();
    torch::manual_seed(9);
    loss_of(nn::sample_attention(x, bias, live, rate)).backward();
    return x.grad().to(torch::kDouble);
  };
  const torch::Tensor qkv = random_qkv(2, 40, type);
  const torch::Tensor exact = gradient(qkv, torch::kDouble), own = gradient(qkv, type);
  const double tolerance = type == torch::kFloat ? 1e-5 : 2e-2;
  CHECK(((own - exact).norm() / exact.norm()).item<double>() < tolerance);
}

TEST_CASE("Attention follows torch's seed and no number of threads", "[nn][sample_attention]") {
  const torch::Tensor live = some_live(6, 20);
  const auto run = [&](int threads, int seed) {
    const int before = torch::get_num_threads();
    torch::set_num_threads(threads);
    const torch::Tensor x = random_qkv(6, 20, torch::kFloat).requires_grad_();
    torch::manual_seed(seed);
    const nn::SampleAttention attention = nn::sample_attention(x, {}, live, 0.1);
    loss_of(attention).backward();
    torch::set_num_threads(before);
    return torch::cat(
               {attention.outputs.flatten(), attention.received.flatten(), x.grad().flatten()})
        .detach();
  };
  CHECK(torch::equal(run(1, 1), run(2, 1)));
  CHECK_FALSE(torch::equal(run(1, 1), run(1, 2)));
}

TEST_CASE("Dropout of attention keeps its share in each head and row", "[nn][sample_attention]") {
  const int64_t n = 512;
  const double rate = 0.3;
  // Even logits: what a value head gets is the share that was kept, over 1 - rate.
  const torch::Tensor qkv = torch::zeros({2, n, 3, kHeads, kDim});
  qkv.select(2, 2).fill_(1.0);
  torch::manual_seed(5);
  const torch::Tensor kept = nn::sample_attention(qkv, {}, {}, rate)
                                 .outputs.view({2, n, kHeads, kDim})
                                 .select(3, 0)
                                 .to(torch::kDouble);
  const double spread = std::sqrt(rate / (1 - rate) / n);
  CHECK(std::abs(kept.mean().item<double>() - 1) < 5 * spread / std::sqrt(2 * n * kHeads));
  CHECK(std::abs(kept.std().item<double>() / spread - 1) < 0.1);
  // Rows, heads and texts draw on their own.
  const torch::Tensor draws = (kept - 1) / spread;
  const double bound = 5 / std::sqrt(static_cast<double>(n * kHeads));
  CHECK(std::abs((draws[0] * draws[1]).mean().item<double>()) < bound);
  CHECK(std::abs((draws.select(2, 0) * draws.select(2, 1)).mean().item<double>()) < bound);
  CHECK(std::abs((draws.slice(1, 1) * draws.slice(1, 0, n - 1)).mean().item<double>()) < bound);
}

TEST_CASE("A logit that is not a number stays visible", "[nn][sample_attention]") {
  const auto type = GENERATE(torch::kFloat, torch::kBFloat16);
  torch::Tensor qkv = random_qkv(2, 20, type);
  qkv[0][3].fill_(std::nan(""));
  const torch::Tensor outputs = nn::sample_attention(qkv, {}, {}, 0).outputs;
  CHECK(outputs[0].isnan().all().item<bool>());
  CHECK_FALSE(outputs[1].isnan().any().item<bool>());
}

TEST_CASE("Attention refuses other shapes", "[nn][sample_attention][errors]") {
  const torch::Tensor qkv = random_qkv(2, 5), live = some_live(2, 5);
  CHECK_THROWS_WITH(nn::sample_attention(qkv.flatten(3), {}, {}, 0),
                    Catch::Contains("expected qkv [B, n, 3, H, d]"));
  CHECK_THROWS_WITH(nn::sample_attention(qkv, live.slice(1, 0, 1), {}, 0),
                    Catch::Contains("expected bias and queries [B, n]"));
  CHECK_THROWS_WITH(nn::sample_attention(qkv, {}, live[0], 0),
                    Catch::Contains("expected bias and queries [B, n]"));
}
