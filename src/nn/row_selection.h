#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "tokensieve/core/selector.h"
#include "tokensieve/core/vit_config.h"

namespace tokensieve::nn {

/// What core's selector takes of `scores` `[B, n]`: indices `[B, k]`, ascending. For selectors that
/// take as many of each sample.
torch::Tensor selected_rows(const Selector& selector, const torch::Tensor& scores,
                            int64_t input_count, int site_index = 0);

/// What core's selector takes of the tokens that are `kept` `[B, n]` (1 or 0) by their `scores`
/// `[B, n]`: 1 or 0. Row 0, the class token, stays; `present` says which tokens a text has at all.
torch::Tensor selected_tokens(const Selector& selector, const torch::Tensor& scores,
                              const torch::Tensor& kept, const torch::Tensor& present,
                              int site_index);

/// Rows `[B, prefix + N, C]` to the prefix and the rows `index` `[B, k]` after it.
torch::Tensor keep_rows(const torch::Tensor& x, int64_t prefix, const torch::Tensor& index);

/// True for blocks that are in `sites`.
bool is_site(const std::vector<int>& sites, int block);
/// "3/6/9"
std::string joined_sites(const std::vector<int>& sites);

/// Throws std::invalid_argument unless `range` is empty or two rates in (0, 1], the smaller first.
void check_keep_range(const std::string& method, const std::vector<double>& range);
/// A rate between the two, drawn evenly from torch's generator.
double draw(const std::vector<double>& range);

/// Throws std::invalid_argument unless `sites` ascend from `first` to below `depth`.
void check_sites(const std::string& method, const std::vector<int>& sites, int first, int depth);

/// Throws std::invalid_argument for MaiT's masks, which are made for all rows: where some are
/// gathered, only the engine follows them.
void check_no_masks(const std::string& method, const VitConfig& config);

/// Throws std::invalid_argument unless the block `ahead` blocks before each site has an attention.
void check_attention(const std::string& method, const VitConfig& config,
                     const std::vector<int>& sites, int ahead);

}  // namespace tokensieve::nn
