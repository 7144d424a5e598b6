#include "tokensieve/core/bert_config.h"

#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <stdexcept>

using namespace tokensieve;
using Catch::Contains;

namespace {

void check_refused(const std::function<void(BertConfig&)>& change, const char* message) {
  BertConfig config;
  change(config);
  CHECK_THROWS_AS(config.validate(), std::invalid_argument);
  CHECK_THROWS_WITH(config.validate(), Contains(message));
}

}  // namespace

TEST_CASE("heads have names", "[core][bert_config]") {
  CHECK(to_string(TextHead::embedding) == "embedding");
  CHECK(to_string(TextHead::classification) == "classification");
  CHECK(to_string(TextHead::tokens) == "tokens");
  CHECK(to_string(TextHead::question_answering) == "question_answering");
}

TEST_CASE("The default text network is BERT-base", "[core][bert_config]") {
  const BertConfig config;
  CHECK_NOTHROW(config.validate());
  CHECK(config.depth() == 12);
  CHECK(config.embed_dim == config.num_heads[0] * config.head_dim);
  CHECK_FALSE(config.has_token_head());
}

TEST_CASE("A text network's sizes must make sense", "[core][bert_config]") {
  check_refused([](BertConfig& c) { c.name = "albert"; }, "bert, distilbert or roberta");
  check_refused([](BertConfig& c) { c.vocab_size = 0; }, "expected vocab_size in [1");
  check_refused([](BertConfig& c) { c.max_positions = 0; }, "expected max_positions in [1");
  check_refused([](BertConfig& c) { c.position_offset = -1; }, "expected position_offset in [0");
  check_refused([](BertConfig& c) { c.type_vocab_size = -1; }, "expected type_vocab_size in [0");
  check_refused([](BertConfig& c) { c.embed_dim = 1 << 20; }, "expected embed_dim in [1");
  check_refused([](BertConfig& c) { c.head_dim = 0; }, "expected head_dim in [1");
  check_refused([](BertConfig& c) { c.num_heads.clear(); }, "expected the number of blocks in [1");
  check_refused([](BertConfig& c) { c.mlp_dim.pop_back(); }, "one mlp_dim for each of 12 blocks");
  check_refused([](BertConfig& c) { c.num_heads[3] = -1; }, "expected num_heads in [0");
  check_refused([](BertConfig& c) { c.mlp_dim[3] = -1; }, "expected mlp_dim in [0");
  check_refused([](BertConfig& c) { c.num_classes = 0; }, "expected num_classes in [1");
  check_refused([](BertConfig& c) { c.layer_norm_eps = 0; }, "expected a layer_norm_eps above 0");
  check_refused([](BertConfig& c) { c.layer_norm_eps = std::numeric_limits<float>::quiet_NaN(); },
                "expected a layer_norm_eps above 0");
}

TEST_CASE("A text network's head must go with the rest", "[core][bert_config]") {
  const auto with_head = [](TextHead head, const std::function<void(BertConfig&)>& change) {
    return [=](BertConfig& config) {
      config.head = head;
      config.pooler = PoolerActivation::none;
      change(config);
    };
  };
  check_refused(with_head(TextHead::embedding, [](BertConfig&) {}),
                "expected num_classes in [0, 0]");
  check_refused(with_head(TextHead::question_answering, [](BertConfig& c) { c.num_classes = 3; }),
                "expected 2 logits for question answering, got 3");
  check_refused(
      with_head(TextHead::tokens, [](BertConfig& c) { c.pooler = PoolerActivation::tanh; }),
      "expected no pooler");
  check_refused(with_head(TextHead::tokens, [](BertConfig& c) { c.exits = true; }),
                "expected a classification head beside exits");
  check_refused([](BertConfig& c) { c.normalize = true; }, "normalize with an embedding only");
}
