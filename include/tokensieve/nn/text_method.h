#pragma once

#include "tokensieve/nn/adapler_bert.h"
#include "tokensieve/nn/ltp_bert.h"
#include "tokensieve/nn/method.h"
#include "tokensieve/nn/top_bert.h"

namespace tokensieve::nn {

/// Fine-tuning of all tokens, with a teacher or without (null), whose answers weigh
/// `teacher_logits`. The teacher never trains. Throws std::invalid_argument when it has other
/// classes or another vocabulary; so do all of these.
std::unique_ptr<Method> dense_method(Bert network, Bert teacher, double teacher_logits = 0.5);

/// LTP (arXiv 2107.00910): thresholds and weights train together on soft masks, then the weights
/// alone on the hard decisions.
struct LtpOptions {
  double soft_epochs = 1;     ///< Of the soft stage; 0: the thresholds are what they start as.
  double temperature = 1e-3;  ///< Of the soft masks; goes with 128 / n_ref as thresholds do.
  double mask_weight = 0.1;   ///< lambda of mask_loss().
  double teacher_logits = 0.5;
};

/// LTP's regulariser: sum over sites of the masks' mean over `n_ref` places of a text (0: over its
/// tokens), the class token left out, mean over the batch. `kept` as SievedText has it.
torch::Tensor mask_loss(const std::vector<torch::Tensor>& kept, const torch::Tensor& present,
                        int64_t n_ref);

/// Throws std::invalid_argument when a number is out of range or the teacher does not fit.
std::unique_ptr<Method> ltp_method(LtpBert network, Bert teacher, LtpOptions options = {});

/// Cascade top-k (SpAtten as LTP's code has it), LTP's baseline: cascade_rates() of the tokens that
/// receive the most attention stay.
struct CascadeOptions {
  double keep = 0.5;  ///< Of cascade_rates(), after the last block.
  int first = 0;      ///< Block that drops first; 0: as cascade_rates() has it.
  double teacher_logits = 0.5;
};

/// Throws std::invalid_argument as ltp_method does.
std::unique_ptr<Method> cascade_method(Bert network, Bert teacher, CascadeOptions options = {});

/// PABEE (arXiv 2006.04152): a classifier after every block, trained together.
struct PabeeOptions {
  int patience = 3;  ///< Equal answers in a row that end a text's run, when epochs are compared.
  double teacher_logits = 0.5;
};

/// Throws std::invalid_argument as ltp_method does, and for a network without exits.
std::unique_ptr<Method> pabee_method(Bert network, Bert teacher, PabeeOptions options = {});

/// Magic Pyramid (arXiv 2111.00230): LTP's two stages, then all exits with the weights, then the
/// exits alone.
struct MagicPyramidOptions {
  LtpOptions ltp;
  double hard_epochs = 1;   ///< Of LTP's hard stage, after the soft one.
  double joint_epochs = 1;  ///< Of exits_loss(); what epochs are left train the exits alone.
  double entropy = 0.1;     ///< A text leaves below it, in nats, when epochs are compared.
};

/// Throws std::invalid_argument as ltp_method does, and for a network without exits.
std::unique_ptr<Method> magic_pyramid_method(LtpBert network, Bert teacher,
                                             MagicPyramidOptions options = {});

/// AdapLeR (arXiv 2203.08991): contribution predictors that learn the teacher's saliencies, and
/// etas, bars for them that learn to shorten texts.
struct AdaplerOptions {
  double saliency_weight = 0.005;  ///< gamma of contribution_loss().
  double length_weight = 5e-4;     ///< Of length_loss(), which only the bars learn by.
  double sharpness = 10;           ///< lambda of the first epoch,
  double growth = 10;              ///< and its factor from each epoch to the next.
  double choose_after = 0;         ///< Epochs of which none is chosen: the bars are on their way.

  /// The authors' weights, which are of 12 blocks and texts of up to 64 tokens, for others: what
  /// contribution_loss() sums over blocks, weighted blocks to 1, and length_loss() over blocks and
  /// tokens, then counts as much as there.
  static AdaplerOptions scaled(int blocks, int64_t max_tokens);
};

/// Throws std::invalid_argument as ltp_method does, and without a teacher.
std::unique_ptr<Method> adapler_method(AdaplerBert network, Bert teacher,
                                       AdaplerOptions options = {});

/// ToP (arXiv 2306.14393): rank bins and gates under a target of saved multiply-adds, with the
/// teacher's answers and its ranking of the tokens.
struct TopOptions {
  double target = 0.5;       ///< Share of the multiply-adds (counted_macs()) to save.
  double target_epochs = 1;  ///< The target grows to that in so many.
  double ranking_weight = 0.01;
  int64_t ranked = 20;     ///< The teacher's best tokens that ranking_loss() compares.
  double temperature = 2;  ///< Of the teacher's answers.
  double slack = 0;        ///< Epochs may miss the target by so much and still be chosen.
  /// Tokens of the texts that the target is of, [CLS] included; empty: those of each batch.
  std::vector<int64_t> lengths = {};
};

/// Throws std::invalid_argument as ltp_method does, and without a teacher.
std::unique_ptr<Method> top_method(TopBert network, Bert teacher, TopOptions options = {});

}  // namespace tokensieve::nn
