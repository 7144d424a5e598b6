#include "mix_token.h"
#include "number_text.h"
#include "parameter_names.h"
#include "row_selection.h"
#include "teacher.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/weights.h"

namespace tokensieve::nn {
namespace {

class TokenLabelingMethod final : public Method {
 public:
  /// `sieve` is `network` where that has predictors, and null where not.
  TokenLabelingMethod(Vit network, DynamicVit sieve, LabelMaps maps, TokenLabelingOptions options)
      : network_(std::move(network)),
        sieve_(std::move(sieve)),
        maps_(std::move(maps)),
        options_(options) {
    const VitConfig& config = network_->config();
    if (sieve_) check_no_masks("token_labeling", config);
    check_argument(options.tokens_weight >= 0 && options.mix_alpha >= 0 && options.smoothing >= 0 &&
                       options.smoothing < 1,
                   "[token_labeling] expected tokens and mix_token of 0 or more and smoothing in "
                   "[0, 1), got ",
                   options.tokens_weight, ", ", options.mix_alpha, " and ", options.smoothing);
    check_argument(config.pooling == Pooling::class_token && !config.distilled,
                   "[token_labeling] expected a network with one head on its class token, got ",
                   config.name);
    check_argument(config.aux_head || options.tokens_weight == 0,
                   "[token_labeling] expected a network with a second head, got ", config.name,
                   "; set the weight of tokens to 0");
    check_argument(maps_.classes() == config.num_classes,
                   "[token_labeling] expected label maps of ", config.num_classes, " classes, got ",
                   maps_.classes());
    check_argument(
        options.keep > 0 && options.keep <= 1 && options.ratio_weight >= 0 && options.eps >= 0,
        "[token_labeling] expected keep in (0, 1] and ratio and eps of 0 or more, got ",
        options.keep, ", ", options.ratio_weight, " and ", options.eps);
  }

  VitImpl& network() override { return *network_; }
  void to(torch::Device device) override { network_->to(device); }

  void begin_batch(const Batch& batch) override {
    check_argument(batch.mixture.lambda == 1,
                   "[token_labeling] expected pictures that are not mixed; MixToken mixes their "
                   "tokens: set mixup and cutmix to 0");
    const VitConfig& config = network_->config();
    const auto labels = [&](int64_t height, int64_t width) {
      return smoothed_labels(maps_.labels(batch.indices, batch.crops, height, width),
                             options_.smoothing);
    };
    class_labels_ = labels(1, 1).squeeze(1);
    if (options_.ground_truth) {
      class_labels_ = corrected(class_labels_, torch::tensor(batch.labels));
    }
    token_labels_ = options_.tokens_weight > 0 ? labels(config.grid_height(), config.grid_width())
                                               : torch::Tensor();
  }

  Loss loss(const torch::Tensor& pixels, const torch::Tensor& /*targets*/) override {
    check_argument(class_labels_.defined() && class_labels_.size(0) == pixels.size(0),
                   "[token_labeling] expected begin_batch with these ", pixels.size(0),
                   " pictures before their loss");
    VitImpl& net = *network_;
    const VitConfig& config = net.config();
    const MixToken mix =
        MixToken::draw(config.grid_height(), config.grid_width(), options_.mix_alpha);
    torch::Tensor x = net.with_prefix(mix.swap(net.embed_patches(pixels)));
    torch::Tensor logits, patches, kept;
    DynamicOutput output;
    if (sieve_) {
      output = sieve_->masked_blocks(x, {}, options_.eps);
      logits = output.class_logits;
      patches = output.tokens;
      kept = mix.swap(output.decisions.back().detach());
    } else {
      for (int i = 0; i < config.depth(); ++i) x = net.block(i, x);
      const torch::Tensor finished = net.finish(x);
      logits = net.class_logits(finished);
      patches = finished.slice(1, config.num_prefix_tokens());
    }

    Loss loss;
    const torch::Tensor labels = class_labels_.to(pixels.device());
    add_term(loss, "classification",
             soft_cross_entropy(logits.to(torch::kFloat), mix.mixed(labels)), 1.0);
    if (options_.tokens_weight > 0) {
      // Swapped back, a token's answer is beside the label of its own picture and place.
      const torch::Tensor answers = mix.swap(net.token_logits(patches)).to(torch::kFloat);
      add_term(loss, "tokens",
               token_cross_entropy(answers, token_labels_.to(pixels.device()), kept),
               options_.tokens_weight);
    }
    if (sieve_) {
      add_term(loss, "ratio",
               ratio_loss(output.decisions, keep_rates(options_.keep, sieve_->sites().size())),
               options_.ratio_weight);
    }
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& pixels) override {
    if (!sieve_) return network_->forward(pixels);
    return sieve_->forward_gathered(pixels, keep_rates(options_.keep, sieve_->sites().size()));
  }

  std::string recipe() const override {
    if (!sieve_) return "dense";
    return cat("dynamicvit(keep=", number_text(options_.keep),
               ", sites=", joined_sites(sieve_->sites()), ")");
  }
  std::shared_ptr<const WeightSource> sieve() const override {
    return sieve_ ? export_parameters(*network_, kPredictors) : nullptr;
  }

 private:
  /// The ground truth has a share of every label, and the larger one where the two agree.
  static torch::Tensor corrected(const torch::Tensor& labels, const torch::Tensor& truth) {
    const torch::Tensor right = (labels.argmax(1) == truth).to(labels.scalar_type());
    const torch::Tensor share = (0.9 - 0.4 * right).unsqueeze(1);
    const torch::Tensor one_hot = torch::one_hot(truth, labels.size(1)).to(labels.scalar_type());
    return share * labels + (1 - share) * one_hot;
  }

  Vit network_;
  DynamicVit sieve_;
  LabelMaps maps_;
  TokenLabelingOptions options_;
  torch::Tensor class_labels_, token_labels_;  // of the batch: [B, classes], [B, N, classes]
};

}  // namespace

std::unique_ptr<Method> token_labeling_method(Vit network, LabelMaps maps,
                                              TokenLabelingOptions options) {
  return std::make_unique<TokenLabelingMethod>(std::move(network), DynamicVit(nullptr),
                                               std::move(maps), options);
}

std::unique_ptr<Method> token_labeling_method(DynamicVit network, LabelMaps maps,
                                              TokenLabelingOptions options) {
  const std::shared_ptr<VitImpl> backbone = network.ptr();
  return std::make_unique<TokenLabelingMethod>(Vit(backbone), std::move(network), std::move(maps),
                                               options);
}

}  // namespace tokensieve::nn
