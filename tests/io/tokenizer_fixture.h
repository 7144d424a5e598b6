#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "temp_folder.h"
#include "text/byte_level.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/tokenizer.h"

/// A `vocab.txt` of BERT's special tokens and the pieces given, the first of which has id 5.
inline std::string vocab_text(const std::vector<std::string>& pieces) {
  std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (const std::string& piece : pieces) text += piece + "\n";
  return text;
}

/// The tokenizer of such a file, with a `tokenizer_config.json` if one is given.
inline std::unique_ptr<const tokensieve::Tokenizer> open_bert(
    const TempFolder& folder, const std::vector<std::string>& pieces,
    std::string_view config = "") {
  tokensieve::write_text_file(folder / "vocab.txt", vocab_text(pieces));
  if (!config.empty()) tokensieve::write_text_file(folder / "tokenizer_config.json", config);
  return tokensieve::open_tokenizer(folder.path());
}

/// A `tokenizer.json` as BERT's files have it, with a small vocabulary.
inline nlohmann::json bert_json() {
  const auto special = [](const char* name, int id) {
    return nlohmann::json{{"id", id},        {"content", name}, {"single_word", false},
                          {"lstrip", false}, {"rstrip", false}, {"normalized", false},
                          {"special", true}};
  };
  const auto token = [](const char* name, int type) {
    return nlohmann::json{{"SpecialToken", {{"id", name}, {"type_id", type}}}};
  };
  const auto text = [](const char* name, int type) {
    return nlohmann::json{{"Sequence", {{"id", name}, {"type_id", type}}}};
  };
  nlohmann::json json;
  json["added_tokens"] = {special("[PAD]", 0), special("[UNK]", 1), special("[CLS]", 2),
                          special("[SEP]", 3)};
  json["normalizer"] = {{"type", "BertNormalizer"},
                        {"clean_text", true},
                        {"handle_chinese_chars", true},
                        {"strip_accents", nullptr},
                        {"lowercase", true}};
  json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  json["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single", {token("[CLS]", 0), text("A", 0), token("[SEP]", 0)}},
      {"pair",
       {token("[CLS]", 0), text("A", 0), token("[SEP]", 0), text("B", 1), token("[SEP]", 1)}}};
  json["model"] = {
      {"type", "WordPiece"},
      {"unk_token", "[UNK]"},
      {"continuing_subword_prefix", "##"},
      {"max_input_chars_per_word", 100},
      {"vocab", {{"[PAD]", 0}, {"[UNK]", 1}, {"[CLS]", 2}, {"[SEP]", 3}, {"a", 4}, {"##b", 5}}}};
  return json;
}

/// A `tokenizer.json` as RoBERTa's files have it: special tokens 0 to 4, then the symbols of bytes
/// 0 to 255, then the merges' tokens.
inline nlohmann::json roberta_json() {
  nlohmann::json json;
  nlohmann::json& vocab = json["model"]["vocab"];
  for (const char* name : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) vocab[name] = vocab.size();
  for (int byte = 0; byte < 256; ++byte) {
    vocab[tokensieve::byte_symbol(static_cast<unsigned char>(byte))] = vocab.size();
  }
  for (const char* token : {"ab", "bc", "\u0120a", "abc"}) vocab[token] = vocab.size();
  json["model"]["merges"] = {"a b", "b c", "\u0120 a", "ab c"};
  for (const char* key : {"type", "dropout", "unk_token"}) json["model"][key] = nullptr;
  json["model"]["type"] = "BPE";
  json["added_tokens"] = {{{"id", 4},
                           {"content", "<mask>"},
                           {"single_word", false},
                           {"lstrip", true},
                           {"rstrip", false},
                           {"normalized", false},
                           {"special", true}}};
  json["normalizer"] = nullptr;
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  json["post_processor"] = {{"type", "RobertaProcessing"},
                            {"sep", {"</s>", 2}},
                            {"cls", {"<s>", 0}},
                            {"trim_offsets", true},
                            {"add_prefix_space", true}};
  return json;
}

inline std::unique_ptr<const tokensieve::Tokenizer> open_json(const TempFolder& folder,
                                                              const nlohmann::json& json) {
  tokensieve::write_text_file(folder / "tokenizer.json", json.dump());
  return tokensieve::open_tokenizer(folder.path());
}
