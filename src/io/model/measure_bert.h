#pragma once

#include <string>

#include "tokensieve/core/bert_config.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// Fills in all sizes of `config` that the tensors of `weights` tell, under the names of
/// bert_tensors(). `config` says name, head, position_offset, pooling, eps; `num_heads` is the head
/// count of a block that is not pruned. Throws runtime_error naming `file` for tensors that make no
/// such network: every one must be there with the shape that the others imply, and none besides.
BertConfig measure_bert(BertConfig config, int num_heads, const WeightSource& weights,
                        const std::string& file);

/// Throws runtime_error naming `file` unless `weights` has the tensors of `config`, and no others.
void check_tensors(const BertConfig& config, const WeightSource& weights, const std::string& file);

}  // namespace tokensieve
