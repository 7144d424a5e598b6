#include "tokensieve/io/bert_tensors.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "text_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

/// A linear's or a norm's two tensors.
void pair(Shapes& shapes, const std::string& scope, std::vector<int64_t> weight) {
  shapes[scope + ".bias"] = {weight[0]};
  shapes[scope + ".weight"] = std::move(weight);
}

/// What transformers has for one block of BERT or RoBERTa.
void bert_block(Shapes& shapes, const std::string& scope) {
  for (const auto& name : {"query", "key", "value"}) {
    pair(shapes, scope + "attention.self." + name, {8, 8});
  }
  pair(shapes, scope + "attention.output.dense", {8, 8});
  pair(shapes, scope + "attention.output.LayerNorm", {8});
  pair(shapes, scope + "intermediate.dense", {16, 8});
  pair(shapes, scope + "output.dense", {8, 16});
  pair(shapes, scope + "output.LayerNorm", {8});
}

Shapes embeddings(const std::string& prefix, int64_t positions) {
  Shapes shapes = {{prefix + "embeddings.word_embeddings.weight", {20, 8}},
                   {prefix + "embeddings.position_embeddings.weight", {positions, 8}}};
  pair(shapes, prefix + "embeddings.LayerNorm", {8});
  return shapes;
}

}  // namespace

TEST_CASE("A BERT's tensors are those of BertForSequenceClassification", "[io][bert_tensors]") {
  Shapes expected = embeddings("bert.", 16);
  expected["bert.embeddings.token_type_embeddings.weight"] = {2, 8};
  for (const auto& block : {"0.", "1."}) {
    bert_block(expected, std::string("bert.encoder.layer.") + block);
  }
  pair(expected, "bert.pooler.dense", {8, 8});
  pair(expected, "classifier", {2, 8});
  CHECK(bert_tensors(tiny_bert()) == expected);
}

TEST_CASE("A bare model's tensors have no prefix", "[io][bert_tensors]") {
  Shapes expected = embeddings("", 16);
  expected["embeddings.token_type_embeddings.weight"] = {2, 8};
  for (const auto& block : {"0.", "1."}) {
    bert_block(expected, std::string("encoder.layer.") + block);
  }
  BertConfig config = tiny_bert("bert", TextHead::embedding);
  config.pooler = PoolerActivation::none;
  CHECK(bert_tensors(config) == expected);
  pair(expected, "pooler.dense", {8, 8});
  config.pooler = PoolerActivation::tanh;
  CHECK(bert_tensors(config) == expected);
}

TEST_CASE("A RoBERTa's tensors are those of RobertaForSequenceClassification",
          "[io][bert_tensors]") {
  Shapes expected = embeddings("roberta.", 18);
  expected["roberta.embeddings.token_type_embeddings.weight"] = {2, 8};
  for (const auto& block : {"0.", "1."}) {
    bert_block(expected, std::string("roberta.encoder.layer.") + block);
  }
  pair(expected, "classifier.dense", {8, 8});
  pair(expected, "classifier.out_proj", {2, 8});
  CHECK(bert_tensors(tiny_bert("roberta")) == expected);
}

TEST_CASE("A DistilBERT's tensors are those of DistilBertForSequenceClassification",
          "[io][bert_tensors]") {
  Shapes expected = embeddings("distilbert.", 16);
  for (const std::string block : {"0.", "1."}) {
    const std::string scope = "distilbert.transformer.layer." + block;
    for (const auto& name : {"q_lin", "k_lin", "v_lin", "out_lin"}) {
      pair(expected, scope + "attention." + name, {8, 8});
    }
    pair(expected, scope + "sa_layer_norm", {8});
    pair(expected, scope + "ffn.lin1", {16, 8});
    pair(expected, scope + "ffn.lin2", {8, 16});
    pair(expected, scope + "output_layer_norm", {8});
  }
  pair(expected, "pre_classifier", {8, 8});
  pair(expected, "classifier", {2, 8});
  CHECK(bert_tensors(tiny_bert("distilbert")) == expected);
}

TEST_CASE("Heads of tokens have Hugging Face's names, and no pooler", "[io][bert_tensors]") {
  const std::string name = GENERATE(as<std::string>{}, "bert", "distilbert", "roberta");
  const BertNames labels = bert_names(tiny_bert(name, TextHead::tokens));
  CHECK(labels.classifier == "classifier");
  CHECK(labels.pooler.empty());
  CHECK(bert_names(tiny_bert(name, TextHead::question_answering)).classifier == "qa_outputs");
}

TEST_CASE("A block without heads or without an MLP has no tensors there", "[io][bert_tensors]") {
  BertConfig config = tiny_bert();
  config.num_heads = {0, 2};
  config.mlp_dim = {16, 0};
  const auto tensors = bert_tensors(config);
  CHECK_FALSE(tensors.contains("bert.encoder.layer.0.attention.self.query.weight"));
  CHECK_FALSE(tensors.contains("bert.encoder.layer.0.attention.output.LayerNorm.weight"));
  CHECK_FALSE(tensors.contains("bert.encoder.layer.1.intermediate.dense.weight"));
  CHECK_FALSE(tensors.contains("bert.encoder.layer.1.output.LayerNorm.bias"));
}

TEST_CASE("Classifiers for early exit are one a block but the last", "[io][bert_tensors]") {
  BertConfig config = tiny_bert();
  config.exits = true;
  Shapes expected;
  pair(expected, "classifiers.0", {2, 8});
  CHECK(exit_tensors(config) == expected);
  MemoryWeights weights;
  CHECK_THROWS_AS(check_sieve(config, weights, "here"), std::runtime_error);
  for (const auto& [name, shape] : expected)
    weights.set(name, shape, values_of(name, count_of(shape)));
  CHECK_NOTHROW(check_sieve(config, weights, "here"));
  weights.set("classifiers.1.bias", {2}, {0, 0});
  CHECK_THROWS_WITH(check_sieve(config, weights, "here"),
                    Catch::Contains("here: expected classifiers for early exit, got the tensor "
                                    "'classifiers.1.bias'"));
}

TEST_CASE("Contribution predictors are one a block, and stand beside exits", "[io][bert_tensors]") {
  BertConfig config = tiny_bert();
  CHECK(sieve_tensors(config).empty());
  Shapes expected;
  for (const std::string block : {"0", "1"}) {
    pair(expected, "contribution_predictor." + block + ".hidden", {32, 8});
    pair(expected, "contribution_predictor." + block + ".output", {1, 32});
  }
  CHECK(contribution_tensors(config) == expected);
  config.contributions = true;
  CHECK(sieve_tensors(config) == expected);
  MemoryWeights weights;
  for (const auto& [name, shape] : expected)
    weights.set(name, shape, values_of(name, count_of(shape)));
  CHECK(with_sieve(tiny_bert(), weights) == config);
  CHECK_NOTHROW(check_sieve(config, weights, "here"));
  weights.set("contribution_predictor.2.output.bias", {1}, {0});
  CHECK_THROWS_WITH(check_sieve(config, weights, "here"),
                    Catch::Contains("here: expected contribution predictors, got the tensor "
                                    "'contribution_predictor.2.output.bias'"));
  config.exits = true;
  pair(expected, "classifiers.0", {2, 8});
  CHECK(sieve_tensors(config) == expected);
}
