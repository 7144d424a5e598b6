#pragma once

#include "nn_test.h"
#include "tokensieve/core/bert_config.h"
#include "tokensieve/nn/bert.h"

namespace tokensieve::test {

/// A text network of two heads and four blocks over 20 words: small enough for double precision.
inline BertConfig tiny_bert_config(int depth = 4) {
  BertConfig config;
  config.vocab_size = 20;
  config.max_positions = 16;
  config.embed_dim = 16;
  config.head_dim = 8;
  config.num_heads.assign(static_cast<size_t>(depth), 2);
  config.mlp_dim.assign(static_cast<size_t>(depth), 32);
  config.num_classes = 3;
  return config;
}

inline nn::Bert random_bert(uint64_t seed, const BertConfig& config = tiny_bert_config()) {
  nn::Bert network(config);
  randomize(*network, seed);
  return network;
}

/// Texts of 8 and 5 tokens, the second padded; the last tokens of the first are a second sentence.
inline torch::Tensor two_texts() {
  return torch::tensor({2, 7,  5, 11, 3, 14, 9,  3,  0, 0, 0, 0, 0, 1,  1,  1,
                        2, 19, 8, 6,  3, -1, -1, -1, 0, 0, 0, 0, 0, -1, -1, -1},
                       torch::kLong)
      .view({2, 2, 8});
}

}  // namespace tokensieve::test
