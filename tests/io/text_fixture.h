#pragma once

#include "model_fixture.h"
#include "tokensieve/core/bert_config.h"
#include "tokensieve/io/bert_tensors.h"

namespace tokensieve::test {

/// A text network of two blocks, width 8 and two heads, for at most 16 tokens out of 20.
inline BertConfig tiny_bert(const std::string& name = "bert",
                            TextHead head = TextHead::classification) {
  BertConfig config;
  config.name = name;
  config.head = head;
  config.vocab_size = 20;
  config.max_positions = 16;
  config.position_offset = name == "roberta" ? 2 : 0;
  config.type_vocab_size = name == "distilbert" ? 0 : 2;
  config.embed_dim = 8;
  config.head_dim = 4;
  config.num_heads = {2, 2};
  config.mlp_dim = {16, 16};
  config.num_classes = head == TextHead::embedding ? 0 : head == TextHead::tokens ? 3 : 2;
  config.pooler = name == "distilbert" ? PoolerActivation::relu : PoolerActivation::tanh;
  if (config.has_token_head() || (head == TextHead::embedding && name != "bert")) {
    config.pooler = PoolerActivation::none;
  }
  return config;
}

/// A text model in memory, its tensors filled as write_tensors fills them.
inline ModelFolder text_model_of(const BertConfig& bert) {
  const auto filled = [](const Shapes& shapes) {
    auto weights = std::make_shared<MemoryWeights>();
    for (const auto& [name, shape] : shapes) {
      weights->set(name, shape, values_of(name, count_of(shape)));
    }
    return weights;
  };
  ModelFolder model;
  model.bert = bert;
  model.weights = filled(bert_tensors(bert));
  if (bert.exits || bert.contributions) model.sieve = filled(sieve_tensors(bert));
  return model;
}

}  // namespace tokensieve::test
