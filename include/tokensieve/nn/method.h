#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokensieve/data/image_loader.h"
#include "tokensieve/io/weights.h"
#include "tokensieve/nn/as_vit.h"
#include "tokensieve/nn/dynamic_vit.h"
#include "tokensieve/nn/label_maps.h"
#include "tokensieve/nn/vit.h"

namespace tokensieve::nn {

/// The loss of a batch and the terms it is the weighted sum of, unweighted and detached.
struct Loss {
  torch::Tensor total;
  std::vector<std::pair<std::string, torch::Tensor>> terms;
};

/// What a method contributes to training. The trainer knows nothing else of it.
class Method {
 public:
  virtual ~Method() = default;
  /// The network that is trained.
  virtual torch::nn::Module& network() = 0;
  /// Moves the network, and the teacher if there is one.
  virtual void to(torch::Device device) = 0;
  /// Called before every step with the epochs done so far, a fraction: 2.5 in the middle of the
  /// third. For methods whose rates or phases change while they train.
  virtual void begin_step(double /*epoch*/) {}
  /// The epochs, ascending, at which stages after the first begin. The learning rate's schedule,
  /// warm-up included, begins anew at each.
  virtual std::vector<double> stages() const { return {}; }
  /// Called with the loader's pictures before their loss(). For methods that ask which pictures
  /// these are and what was cut out of them.
  virtual void begin_batch(const Batch& /*batch*/) {}
  /// `input` is what the network's forward() takes (TensorBatch), `targets` `[B, classes]` (soft);
  /// may draw from torch's generator.
  virtual Loss loss(const torch::Tensor& input, const torch::Tensor& targets) = 0;
  /// Called before each pass over the held-out samples, all of which predict() then sees. For
  /// methods that measure more than accuracy there.
  virtual void begin_evaluation() {}
  /// Called after such a pass. False while what is trained is not yet what was asked for, such as
  /// in the first of two stages: the best epoch is chosen among the others. `last`: the run ends
  /// and none was chosen, so that a method may take what there is (ToP, which may oscillate around
  /// its target).
  virtual bool is_candidate(bool /*last*/) const { return true; }
  /// Logits `[B, classes]` as inference would give them (network() in eval mode); drawn from
  /// nothing.
  virtual torch::Tensor predict(const torch::Tensor& input) = 0;
  /// The recipe to store with the trained model.
  virtual std::string recipe() const = 0;
  /// What goes into `sieve.safetensors`, or null.
  virtual std::shared_ptr<const WeightSource> sieve() const { return nullptr; }
};

/// What is asked of the student beside the labels. The defaults are DynamicViT's.
struct TeacherOptions {
  double logits_weight = 0.5;  ///< Of distillation_loss.
  /// Of token_loss over the kept tokens, or with second heads on both sides (LV-ViT) of
  /// token_distillation_loss; 0 with another architecture.
  double tokens_weight = 0.5;
};

/// Fine-tuning of all tokens, with a teacher or without (null). The teacher never trains. Throws
/// std::invalid_argument when the teacher has other classes or other patches.
std::unique_ptr<Method> dense_method(Vit network, Vit teacher, TeacherOptions options = {});

/// DynamicViT (arXiv 2106.02034).
struct DynamicVitOptions {
  double keep = 0.7;  ///< rho: share kept at each site, of the input tokens rho^(s + 1).
  /// Not empty: {low, high}; each batch draws its rho evenly from there and keeps exactly that
  /// share (gumbel_top_k), so that one file serves every rate. The ratio loss then holds the mean
  /// keep probability of each picture at `keep`.
  std::vector<double> keep_range;
  double ratio_weight = 2.0;
  double eps = 1e-6;  ///< Of masked_softmax.
  TeacherOptions teacher;
};

/// Throws std::invalid_argument when a number is out of range or the teacher does not fit.
std::unique_ptr<Method> dynamic_vit_method(DynamicVit network, Vit teacher,
                                           DynamicVitOptions options = {});

/// EViT (arXiv 2202.07800): after the attention of each site the tokens with the most class
/// attention stay, ceil(keep * present); with `fuse` the others become one row, their sum weighted
/// by that attention, through which gradients reach it.
struct EvitOptions {
  std::vector<int> sites = {3, 6, 9};
  double keep = 0.7;
  bool fuse = true;
  /// Training from scratch starts with all tokens for `full_epochs` and falls to `keep` along a
  /// cosine over `shrink_epochs`; fine-tuning starts at `keep`.
  double full_epochs = 0;
  double shrink_epochs = 0;
  TeacherOptions teacher = {0.5, 0.0};  ///< Token rows have left, so only logits are compared.
};

/// The keep rate after so many epochs (EViT's schedule).
double evit_keep(const EvitOptions& options, double epoch);

/// Throws std::invalid_argument when a number is out of range, the network has no class token, the
/// teacher does not fit, or `teacher.tokens_weight` is not 0.
std::unique_ptr<Method> evit_method(Vit network, Vit teacher, EvitOptions options = {});

/// SaiT (arXiv 2210.05832): one set of weights for dense and sparse runs. Epochs alternate, the
/// first is dense; in sparse ones the tokens that receive the most attention in the block before
/// `site` stay, floor(keep N). In both, these shares are pulled to the teacher's: the class token's
/// attention in its last block.
struct SaitOptions {
  int site = 3;
  double keep = 0.46;
  std::vector<double> keep_range;  ///< Not empty: {low, high}; each sparse step draws its share.
  bool class_score = false;        ///< Score by the class token's attention instead of all rows'.
  double attention_weight = 1.0;   ///< Of KL(teacher's shares, student's shares).
  TeacherOptions teacher = {0.5, 0.0};
};

/// Throws std::invalid_argument as evit_method does, and while `attention_weight` is not 0 without
/// a teacher that has a class attention over as many patches.
std::unique_ptr<Method> sait_method(Vit network, Vit teacher, SaitOptions options = {});

/// AS-ViT (arXiv 2209.13802): a learned threshold for each site; a token stays where its class
/// attention, heads weighted, reaches it.
struct AsvitOptions {
  double temperature = 1e-4;  ///< Of the soft decision that gradients go through.
  double rate = 0.65;         ///< Share of the dense multiply-adds that is aimed at.
  double macs_weight = 2.0;   ///< Of |mean MACs - rate * dense MACs| in units of 1e9.
  double eps = 1e-6;          ///< Of masked_softmax.
  TeacherOptions teacher = {0.5, 0.0};
};

/// Throws std::invalid_argument when a number is out of range or the teacher does not fit.
std::unique_ptr<Method> asvit_method(AsVit network, Vit teacher, AsvitOptions options = {});

/// Token Labeling (arXiv 2104.10858): the class token learns the annotator's label of the crop, and
/// a second head on every patch token that of its place.
struct TokenLabelingOptions {
  double tokens_weight = 0.5;  ///< beta, of token_cross_entropy; 0: no second head is trained.
  /// MixToken: lambda ~ Beta(alpha, alpha); patch rows in a box of that share change places with
  /// those of the batch's reverse, and the second head's answers change back. 0: no mixing.
  double mix_alpha = 1.0;
  double smoothing = 0.1;  ///< Of the labels, as smoothed_labels().
  /// Labels of the class token become r y + (1 - r) one-hot, r = 0.9 where the annotator's best
  /// class is wrong and 0.5 where it is right.
  bool ground_truth = false;
  /// Of a network with predictors (DynamicViT), which the token loss then follows: dropped tokens
  /// have none.
  double keep = 0.7;
  double ratio_weight = 2.0;
  double eps = 1e-6;  ///< Of masked_softmax.
};

/// `maps`: of the training pictures, in the loader's order. Batches come with begin_batch and must
/// not be mixed. Throws std::invalid_argument when a number is out of range, the network has no
/// class token, several heads on it or (with `tokens_weight`) no second head, or the maps are of
/// other classes.
std::unique_ptr<Method> token_labeling_method(Vit network, LabelMaps maps,
                                              TokenLabelingOptions options = {});
/// The same with token pruning.
std::unique_ptr<Method> token_labeling_method(DynamicVit network, LabelMaps maps,
                                              TokenLabelingOptions options = {});

}  // namespace tokensieve::nn
