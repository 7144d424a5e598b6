#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "plain_bert.h"
#include "random_model.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/engine/bert.h"
#include "vit_fixture.h"

namespace tokensieve::test {

/// Four blocks of width 48 and three heads, for texts of up to 40 tokens out of 100.
inline BertConfig tiny_bert(const std::string& name = "bert",
                            TextHead head = TextHead::classification) {
  BertConfig config;
  config.name = name;
  config.head = head;
  config.vocab_size = 100;
  config.max_positions = 40;
  config.position_offset = name == "roberta" ? 2 : 0;
  config.type_vocab_size = name == "distilbert" ? 0 : 2;
  config.embed_dim = 48;
  config.head_dim = 16;
  config.num_heads = std::vector<int>(4, 3);
  config.mlp_dim = std::vector<int>(4, 96);
  config.num_classes = head == TextHead::embedding            ? 0
                       : head == TextHead::question_answering ? 2
                                                              : 5;
  config.pooler = head != TextHead::classification ? PoolerActivation::none
                  : name == "distilbert"           ? PoolerActivation::relu
                                                   : PoolerActivation::tanh;
  return config;
}

/// A text network with random weights, large enough that attention is far from uniform.
class RandomBert : public RandomTensors {
 public:
  RandomBert(const std::map<std::string, std::vector<int64_t>>& shapes, uint32_t seed)
      : RandomTensors(seed) {
    for (const auto& [name, shape] : shapes) {
      const bool is_norm = shape.size() == 1 && name.find("orm.weight") != name.npos;
      const bool attends = name.find("query") != name.npos || name.find("key") != name.npos ||
                           name.find("q_lin") != name.npos || name.find("k_lin") != name.npos;
      const float gain = attends ? 2.5f : 1.0f;
      if (shape.size() == 1) {
        tensor(name, shape, is_norm ? 0.2f : 0.1f, is_norm ? 1.0f : 0.0f);
      } else {
        tensor(name, shape, gain * std::sqrt(3.0f / static_cast<float>(shape[1])));
      }
    }
  }
};

/// A random text network and its oracle.
struct TextModel {
  explicit TextModel(BertConfig config_)
      : config(std::move(config_)),
        weights(bert_tensors(config), 1),
        sieve(sieve_tensors(config), 500),
        bert(config, weights.source(), &sieve.source()) {}

  std::vector<RunOutput> run(std::span<const TokensView> texts, const std::string& recipe = "dense",
                             int threads = 2) {
    return bert.run(texts, Recipe::parse(recipe).compile(config.depth()), workspace, threads);
  }

  BertConfig config;
  RandomBert weights, sieve;
  Bert bert;
  Workspace workspace;
};

/// Random texts of these lengths; the second half of each is a second text.
struct Texts {
  explicit Texts(const std::vector<int>& lengths, uint32_t seed = 7) {
    std::mt19937 generator(seed);
    for (const int length : lengths) {
      ids.emplace_back();
      types.emplace_back();
      for (int i = 0; i < length; ++i) {
        ids.back().push_back(static_cast<int32_t>(3 + generator() % 97));
        types.back().push_back(i > length / 2 ? 1 : 0);
      }
    }
  }
  std::vector<TokensView> views() const {
    std::vector<TokensView> result;
    for (size_t i = 0; i < ids.size(); ++i) result.push_back({ids[i], types[i]});
    return result;
  }
  std::vector<std::vector<int32_t>> ids, types;
};

}  // namespace tokensieve::test
