#include "tokensieve/core/bert_config.h"

#include <cmath>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

// Above every network there is, and small enough that no MAC count overflows 64 bits.
constexpr int kMaxVocabulary = 1 << 22;
constexpr int kMaxPositions = 1 << 16;
constexpr int kMaxDim = 1 << 14;
constexpr int kMaxMlpDim = 1 << 16;
constexpr int kMaxDepth = 1 << 8;
constexpr int kMaxClasses = 1 << 24;

void check_size(const char* name, int value, int least, int most) {
  check_argument(value >= least && value <= most, "[bert_config] expected ", name, " in [", least,
                 ", ", most, "], got ", value);
}

}  // namespace

std::string_view to_string(TextHead head) {
  switch (head) {
    case TextHead::embedding:
      return "embedding";
    case TextHead::classification:
      return "classification";
    case TextHead::tokens:
      return "tokens";
    case TextHead::question_answering:
      return "question_answering";
  }
  return "";
}

void BertConfig::validate() const {
  check_argument(name == "bert" || name == "distilbert" || name == "roberta",
                 "[bert_config] expected the name bert, distilbert or roberta, got '", name, "'");
  check_size("vocab_size", vocab_size, 1, kMaxVocabulary);
  check_size("max_positions", max_positions, 1, kMaxPositions);
  check_size("position_offset", position_offset, 0, kMaxPositions);
  check_size("type_vocab_size", type_vocab_size, 0, kMaxDim);
  check_size("embed_dim", embed_dim, 1, kMaxDim);
  check_size("head_dim", head_dim, 1, kMaxDim);
  check_size("the number of blocks", depth(), 1, kMaxDepth);
  check_argument(mlp_dim.size() == num_heads.size(),
                 "[bert_config] expected one mlp_dim for each of ", num_heads.size(),
                 " blocks, got ", mlp_dim.size());
  for (const int heads : num_heads) check_size("num_heads", heads, 0, kMaxDim / head_dim);
  for (const int width : mlp_dim) check_size("mlp_dim", width, 0, kMaxMlpDim);
  const bool embeds = head == TextHead::embedding;
  check_size("num_classes", num_classes, embeds ? 0 : 1, embeds ? 0 : kMaxClasses);
  check_argument(head != TextHead::question_answering || num_classes == 2,
                 "[bert_config] expected 2 logits for question answering, got ", num_classes);
  check_argument(!has_token_head() || pooler == PoolerActivation::none,
                 "[bert_config] expected no pooler beside a head that reads every token, got one");
  check_argument(!normalize || embeds,
                 "[bert_config] expected normalize with an embedding only, got another head");
  check_argument(!exits || head == TextHead::classification,
                 "[bert_config] expected a classification head beside exits, got another one");
  check_argument(std::isfinite(layer_norm_eps) && layer_norm_eps > 0,
                 "[bert_config] expected a layer_norm_eps above 0, got ", layer_norm_eps);
}

}  // namespace tokensieve
