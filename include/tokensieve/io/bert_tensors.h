#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tokensieve/core/bert_config.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// Where one block of a text network has its parts, by Hugging Face's names: each is followed by
/// ".weight" and ".bias".
struct BertBlockNames {
  std::string query, key, value, attention_output, attention_norm;
  std::string fc1, fc2, mlp_norm;
};

/// Where a text network has its parts, by Hugging Face's names; "" for what it does not have.
struct BertNames {
  std::string word_embeddings;  ///< Only ".weight", as the two below.
  std::string position_embeddings;
  std::string token_type_embeddings;
  std::string embedding_norm;
  std::vector<BertBlockNames> blocks;
  std::string pooler;
  std::string classifier;
};

/// The names of a network of this config: those of BertForSequenceClassification,
/// DistilBertForTokenClassification, RobertaForQuestionAnswering and so on; for an embedding those
/// of the bare model (BertModel), which has no prefix.
BertNames bert_names(const BertConfig& config);

/// Names and shapes of a network's tensors: what transformers has in its state dict, no more and no
/// less. A block with no heads has no attention and no norm after it; one with an MLP of width 0
/// has no MLP and no norm after that. RoBERTa's position table has `position_offset` rows more.
std::map<std::string, std::vector<std::int64_t>> bert_tensors(const BertConfig& config);

/// Where the classifier after block `block` is in sieve.safetensors: "classifiers.0" (PABEE, arXiv
/// 2006.04152).
std::string exit_name(int block);
/// Names and shapes of the classifiers [classes, C] after every block but the last.
std::map<std::string, std::vector<std::int64_t>> exit_tensors(const BertConfig& config);

/// Where the contribution predictor before block `block` is: "contribution_predictor.0", followed
/// by ".hidden" [32, C] and ".output" [1, 32] (AdapLeR, arXiv 2203.08991).
std::string contribution_name(int block);
/// Names and shapes of the contribution predictors before every block.
std::map<std::string, std::vector<std::int64_t>> contribution_tensors(const BertConfig& config);

/// Names and shapes of what belongs into a text model's sieve.safetensors: classifiers where
/// `config` has exits, predictors where it has contributions.
std::map<std::string, std::vector<std::int64_t>> sieve_tensors(const BertConfig& config);
/// Throws runtime_error naming `file` unless `weights` has the tensors above and no others.
void check_sieve(const BertConfig& config, const WeightSource& weights, const std::string& file);
/// `config` with exits and contributions where `weights` names tensors of theirs.
BertConfig with_sieve(BertConfig config, const WeightSource& weights);

}  // namespace tokensieve
