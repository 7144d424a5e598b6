#include "text/vocabulary_files.h"

#include <utility>
#include <vector>

#include "json_util.h"
#include "text/bpe.h"
#include "text/json_vocabulary.h"
#include "text/wordpiece.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"

namespace tokensieve {
namespace {

namespace fs = std::filesystem;

/// Lines without their ends ("\n" or "\r\n").
std::vector<std::string> read_lines(const fs::path& path) {
  // A line end a token besides its bytes.
  const std::string text = read_text_file(path, kMaxVocabularyBytes + 2 * kMaxTokens);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const bool carriage = end > at && text[end - 1] == '\r';
    lines.push_back(text.substr(at, end - at - carriage));
    at = end + 1;
  }
  return lines;
}

/// A token that is a string, or an object with one as `content`.
std::string token_of(const JsonObject& config, std::string_view key) {
  if (!config.has(key)) return "";
  const bool is_object = config.get(key).is_object();
  return is_object ? config.object(key).text("content") : config.text(key);
}

std::string or_else(const std::string& token, const char* usual) {
  return token.empty() ? usual : token;
}

/// Special tokens a text may name outright. `mask` may be missing.
std::vector<AddedToken> special_tokens(const Vocabulary& vocabulary,
                                       const std::vector<std::string>& names,
                                       const std::string& mask) {
  std::vector<AddedToken> tokens;
  for (const std::string& name : names) {
    tokens.push_back({name, vocabulary.at(name, "one of its special tokens")});
  }
  if (vocabulary.find(mask) >= 0) tokens.push_back({mask, vocabulary.find(mask)});
  return tokens;
}

}  // namespace

TokenizerConfig read_tokenizer_config(const fs::path& folder) {
  TokenizerConfig config;
  const fs::path path = folder / "tokenizer_config.json";
  if (!fs::exists(path)) return config;
  const nlohmann::json json = parse_json(read_text_file(path, kMaxJsonBytes), path.string());
  const JsonObject object(json, path.string());
  const auto flag = [&](std::string_view key, bool otherwise) {
    return object.has(key) ? object.flag(key) : otherwise;
  };
  config.unk = token_of(object, "unk_token");
  config.cls = token_of(object, "cls_token");
  config.sep = token_of(object, "sep_token");
  config.pad = token_of(object, "pad_token");
  config.mask = token_of(object, "mask_token");
  config.lowercase = flag("do_lower_case", true);
  config.chinese_chars = flag("tokenize_chinese_chars", true);
  config.strip_accents = flag("strip_accents", config.lowercase);
  config.add_prefix_space = flag("add_prefix_space", false);
  config.trim_offsets = flag("trim_offsets", true);
  return config;
}

std::unique_ptr<const Tokenizer> read_wordpiece_files(const fs::path& folder,
                                                      const TokenizerConfig& config) {
  const fs::path path = folder / "vocab.txt";
  Vocabulary vocabulary(read_lines(path), path.string());
  WordPieceOptions options;
  options.normalizer = {.clean_text = true,
                        .chinese_chars = config.chinese_chars,
                        .strip_accents = config.strip_accents,
                        .lowercase = config.lowercase};
  options.unk = or_else(config.unk, "[UNK]");
  const std::string cls = or_else(config.cls, "[CLS]"), sep = or_else(config.sep, "[SEP]"),
                    pad = or_else(config.pad, "[PAD]"), mask = or_else(config.mask, "[MASK]");
  AddedTokens added(special_tokens(vocabulary, {options.unk, cls, sep, pad}, mask));
  Frame frame = bert_frame(vocabulary.find(cls), vocabulary.find(sep));
  const std::int32_t pad_id = vocabulary.find(pad);
  return std::make_unique<WordPieceTokenizer>(
      TextTokenizer::Parts{std::move(vocabulary), std::move(added), std::move(frame), pad_id},
      std::move(options));
}

std::unique_ptr<const Tokenizer> read_byte_pair_files(const fs::path& folder,
                                                      const TokenizerConfig& config) {
  const fs::path path = folder / "vocab.json", merges_path = folder / "merges.txt";
  const nlohmann::json ids = parse_json(read_text_file(path, kMaxJsonBytes), path.string());
  Vocabulary vocabulary(tokens_by_id(ids, path.string()), path.string());
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& line : read_lines(merges_path)) {
    if (line.empty() || line.starts_with("#version")) continue;
    pairs.push_back(split_merge(line, merges_path.string(), pairs.size()));
  }
  Merges merges(pairs, vocabulary, merges_path.string());
  const std::string cls = or_else(config.cls, "<s>"), sep = or_else(config.sep, "</s>"),
                    pad = or_else(config.pad, "<pad>"), mask = or_else(config.mask, "<mask>");
  AddedTokens added(
      special_tokens(vocabulary, {cls, sep, pad, or_else(config.unk, "<unk>")}, mask));
  Frame frame = roberta_frame(vocabulary.find(cls), vocabulary.find(sep));
  const std::int32_t pad_id = vocabulary.find(pad);
  return std::make_unique<BytePairTokenizer>(
      TextTokenizer::Parts{std::move(vocabulary), std::move(added), std::move(frame), pad_id},
      std::move(merges),
      BytePairOptions{.add_prefix_space = config.add_prefix_space,
                      .trim_spans = config.trim_offsets,
                      .trim_keeps_first = config.add_prefix_space});
}

}  // namespace tokensieve
