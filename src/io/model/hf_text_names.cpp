#include "model/hf_text_names.h"

#include <algorithm>
#include <string>
#include <utility>

namespace tokensieve {
namespace {

// Buffers of old versions, and the heads of pre-training: BERT's, RoBERTa's, DistilBERT's.
constexpr std::string_view kUnread[] = {
    "embeddings.position_ids",
    "embeddings.token_type_ids",
    "cls.predictions.",
    "cls.seq_relationship.",
    "lm_head.",
    "vocab_transform.",
    "vocab_layer_norm.",
    "vocab_projector.",
};
constexpr std::string_view kBackbone[] = {"embeddings.", "encoder.", "transformer.", "pooler."};

template <std::size_t Count>
bool starts_with_any(std::string_view name, const std::string_view (&prefixes)[Count]) {
  return std::ranges::any_of(prefixes, [&](auto prefix) { return name.starts_with(prefix); });
}

/// "LayerNorm.gamma", as very old files have it, is "LayerNorm.weight".
std::string todays_name(std::string_view name) {
  for (const auto& [before, now] : {std::pair{"LayerNorm.gamma", "LayerNorm.weight"},
                                    std::pair{"LayerNorm.beta", "LayerNorm.bias"}}) {
    const std::string_view suffix = before;
    if (name.ends_with(suffix)) {
      return std::string(name.substr(0, name.size() - suffix.size())) + now;
    }
  }
  return std::string(name);
}

}  // namespace

TensorParts hf_text_parts(const SafetensorsFile& file, std::string_view name, TextHead head) {
  const std::string prefix = std::string(name) + ".";
  // RoBERTa's classifier has a linear of its own, and logits of tokens need none.
  const bool reads_pooler =
      name == "bert" && (head == TextHead::embedding || head == TextHead::classification);
  TensorParts parts;
  for (const std::string& stored : file.names()) {
    std::string_view bare = stored;
    if (bare.starts_with(prefix)) bare.remove_prefix(prefix.size());
    if (starts_with_any(bare, kUnread)) continue;
    if (bare.starts_with("pooler.") && !reads_pooler) continue;
    std::string now = stored;
    if (starts_with_any(bare, kBackbone)) {
      now = head == TextHead::embedding ? todays_name(bare) : prefix + todays_name(bare);
    }
    // Known twice: the second is refused where all tensors are accounted for.
    parts[parts.contains(now) ? "second " + now : now] = {stored};
  }
  return parts;
}

TextHead guess_text_head(const SafetensorsFile& file) {
  if (file.contains("qa_outputs.weight")) return TextHead::question_answering;
  if (file.contains("classifier.out_proj.weight") || file.contains("pre_classifier.weight")) {
    return TextHead::classification;
  }
  if (!file.contains("classifier.weight")) return TextHead::embedding;
  return file.contains("bert.pooler.dense.weight") ? TextHead::classification : TextHead::tokens;
}

}  // namespace tokensieve
