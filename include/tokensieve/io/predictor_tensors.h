#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tokensieve/core/vit_config.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// Names and shapes of DynamicViT's predictors (arXiv 2106.02034, eq. 2 to 6), one for each of
/// `count` sites of a network of width C, as the official checkpoints name them:
/// `score_predictor.{s}.in_conv.0` is the norm [C], `in_conv.1` the linear [C, C], and
/// `out_conv.0`, `.2`, `.4` are [C/2, C], [C/4, C/2] and [2, C/4], of which row 0 is "keep".
std::map<std::string, std::vector<std::int64_t>> predictor_tensors(int count,
                                                                   std::int64_t embed_dim);

/// How many predictors `weights` has, counted from 0 without a gap. Throws runtime_error naming
/// `file` unless there are at least one and at most one a block of `config`, each with exactly the
/// tensors above at the width of `config`, which must be a multiple of 4.
int count_predictors(const VitConfig& config, const WeightSource& weights, const std::string& file);

}  // namespace tokensieve
