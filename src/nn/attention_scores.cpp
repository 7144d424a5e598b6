#include "tokensieve/nn/attention_scores.h"

#include "mask_matrix.h"
#include "pixels_of.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/autocast.h"

namespace tokensieve::nn {
namespace {

constexpr double kSmallest = 1e-8;  // keeps a row without any output from dividing by 0

/// Sums are taken in float32 at least.
torch::Tensor exact(const torch::Tensor& x) {
  return x.scalar_type() == torch::kDouble ? x : x.to(torch::kFloat);
}

}  // namespace

torch::Tensor class_attention(const AttentionTap& tap) {
  return exact(tap.probabilities.select(2, 0)).mean(1);
}

torch::Tensor received_attention(const AttentionTap& tap) {
  return exact(tap.probabilities).mean({1, 2});
}

torch::Tensor weighted_class_attention(const AttentionTap& tap) {
  const torch::Tensor lengths = exact(tap.outputs).norm(2, {-1});
  const torch::Tensor weights = lengths / (lengths.sum(1, true) + kSmallest);
  return (weights * exact(tap.probabilities.select(2, 0))).sum(1);
}

torch::Tensor attention_locality(const AttentionTap& tap, const VitConfig& config,
                                 const AttentionMasks& masks) {
  const torch::Tensor mask = mask_matrix(config, masks).to(tap.probabilities.device());
  check_argument(tap.probabilities.size(2) == mask.size(0),
                 "[attention_locality] expected attention of ", mask.size(0), " rows, got ",
                 tap.probabilities.size(2));
  return (exact(tap.probabilities) * mask).sum(-1).mean({0, 2});
}

std::vector<std::vector<double>> attention_locality(Vit network, ImageLoader& loader,
                                                    const AttentionMasks& masks,
                                                    torch::Device device, bool bf16) {
  const VitConfig& config = network->config();
  torch::NoGradGuard guard;
  const Autocast autocast(device, bf16);
  network->to(device);
  network->eval();
  std::vector<std::vector<double>> sums;
  for (const int heads : config.num_heads) sums.emplace_back(static_cast<size_t>(heads), 0.0);
  int64_t pictures = 0;
  for (loader.seek(0); loader.step() < loader.steps_per_epoch();) {
    const Batch batch = loader.next();
    torch::Tensor x = network->embed(pixels_of(batch, config, device));
    for (int i = 0; i < config.depth(); ++i) {
      std::vector<double>& of_block = sums[static_cast<size_t>(i)];
      AttentionTap tap;
      x = network->mlp(i, network->attend(i, x, {}, 0, of_block.empty() ? nullptr : &tap));
      if (of_block.empty()) continue;
      const torch::Tensor locality = attention_locality(tap, config, masks).to(torch::kCPU);
      for (size_t head = 0; head < of_block.size(); ++head) {
        of_block[head] +=
            static_cast<double>(batch.size()) * locality[static_cast<int64_t>(head)].item<double>();
      }
    }
    pictures += batch.size();
  }
  for (auto& of_block : sums) {
    for (double& sum : of_block) sum /= static_cast<double>(pictures);
  }
  return sums;
}

}  // namespace tokensieve::nn
