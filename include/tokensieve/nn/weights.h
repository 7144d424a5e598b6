#pragma once

#include <memory>
#include <string_view>

#include "tokensieve/io/weights.h"
#include "tokensieve/nn/bert.h"
#include "tokensieve/nn/vit.h"

namespace tokensieve::nn {

/// What a start lacks for the network that is to be trained.
struct LoadOptions {
  /// What becomes of the classifier.
  enum class Head {
    load,          ///< It must be there and fit.
    load_if_fits,  ///< One that is missing, or of another size, is left as it was initialised.
    fresh,         ///< It is left as it was initialised.
  };
  Head head = Head::load;
  /// The grid of the position table, when it differs from the network's: it is resampled as timm
  /// does it (bicubic, antialiased). 0: the same as the network's.
  int grid_height = 0;
  int grid_width = 0;
};

/// Copies weights by timm's names into `network`. Throws std::runtime_error when one is missing or
/// does not fit.
void load_weights(VitImpl& network, const WeightSource& weights, const LoadOptions& options = {});

/// Copies weights by Hugging Face's names into `network`. `source` is what they are of: an
/// embedding's have no prefix and perhaps no pooler, and its head is left as it was initialised, as
/// the exits always are. Throws std::runtime_error as the other does.
void load_weights(BertImpl& network, const WeightSource& weights, const BertConfig& source,
                  LoadOptions::Head head = LoadOptions::Head::load);

/// Copies every parameter of `module` whose name begins with `prefix` by that same name. Throws
/// std::runtime_error as load_weights does.
void load_parameters(torch::nn::Module& module, std::string_view prefix,
                     const WeightSource& weights);

/// The parameters whose names begin with `prefix`, as float32.
std::shared_ptr<MemoryWeights> export_parameters(const torch::nn::Module& module,
                                                 std::string_view prefix);

/// The parameters of the network itself, as float32: all but predictors, thresholds and exits.
std::shared_ptr<MemoryWeights> export_backbone(const torch::nn::Module& module);

}  // namespace tokensieve::nn
