#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/core/bert_config.h"
#include "tokensieve/core/calibration.h"
#include "tokensieve/core/vit_config.h"
#include "tokensieve/io/dtype.h"
#include "tokensieve/io/preprocess.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// A model folder, opened: everything but the tensors themselves, which are read on demand.
struct ModelFolder {
  VitConfig vit;  ///< Of an image model, as is `preprocessing`.
  Preprocessing preprocessing;
  std::optional<BertConfig> bert;  ///< Of a text model; then `vit` means nothing.
  /// Where a text model's tokenizer files are, for open_tokenizer(); empty without any.
  std::filesystem::path tokenizer_folder;
  std::vector<std::string> labels;        ///< One a class, or empty.
  std::string recipe = "dense";           ///< Default recipe of sieve.json.
  std::vector<Calibration> calibrations;  ///< Of sieve.json, one a recipe.
  std::string provenance;                 ///< sieve.json's "provenance" object as JSON, or "".
  /// Under timm's names, or those of bert_tensors().
  std::shared_ptr<const WeightSource> weights;
  /// What sieve.safetensors has, null without any: predictors under the names of
  /// predictor_tensors(), or a text model's classifiers and predictors under those of
  /// sieve_tensors().
  std::shared_ptr<const WeightSource> sieve;

  /// Throws std::runtime_error unless this is an image model; `operation` begins the message.
  const VitConfig& image_config(std::string_view operation) const;
  /// Throws std::runtime_error unless this is a text model.
  const BertConfig& text_config(std::string_view operation) const;
};

/// Opens a folder with `config.json`, `model.safetensors` and optionally `sieve.json`,
/// `sieve.safetensors` and `preprocessor_config.json`: our own, timm's (hub format) or Hugging
/// Face's (ViT, DeiT, DINOv2 with query, key and value apart; BERT, MiniLM, TinyBERT, DistilBERT
/// and RoBERTa that classify, label tokens, answer questions or are bare, sentence-transformers'
/// among them). Sizes come from the tensors, the rest from config.json. Throws std::runtime_error
/// naming the file and the key when something is missing, unknown or does not fit; every tensor of
/// both files must be accounted for.
ModelFolder open_model_folder(const std::filesystem::path& folder);

/// Opens a lone safetensors file in timm's layout, with timm's preprocessing for `architecture`
/// (for example "deit_small_patch16_224"). Labels are empty. Throws as open_model_folder does.
ModelFolder open_model_file(const std::filesystem::path& file, std::string_view architecture);

/// Writes `model` as a folder in timm's layout (config.json in timm's hub format, sieve.json,
/// model.safetensors and sieve.safetensors in `dtype`, f32 or bf16) that timm loads strictly; a
/// text model in Hugging Face's, with its tokenizer's files, that transformers loads. The folder
/// appears whole or not at all; an existing one is refused. Returns whether all weights are stored
/// as they are: where bf16 rounds some, calibrations, which are of the weights as they were, are
/// left out. Throws std::runtime_error.
bool save_model_folder(const ModelFolder& model, const std::filesystem::path& folder,
                       DType dtype = DType::F32);

/// Whether a file is named as PyTorch's pickles are (.bin, .pth, .pt), which this library never
/// reads.
bool is_pickle(const std::filesystem::path& path);
/// What to do with one, for messages.
inline constexpr const char* kPickleCure =
    "pickles may run code when read, convert it with python -m tokensieve.convert";

}  // namespace tokensieve
