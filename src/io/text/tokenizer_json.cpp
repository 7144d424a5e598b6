#include "text/tokenizer_json.h"

#include <utility>
#include <vector>

#include "json_util.h"
#include "model/json_object.h"
#include "text/bpe.h"
#include "text/json_frame.h"
#include "text/json_vocabulary.h"
#include "text/wordpiece.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/file.h"

namespace tokensieve {
namespace {

/// The object of a key, refused unless it is of one of the types.
JsonObject object_of_type(const JsonObject& parent, std::string_view key, std::string_view type) {
  const JsonObject object = parent.object(key);
  if (object.get("type") != type) object.fail("type", cat("\"", type, "\""));
  return object;
}

/// A flag that may be left out.
bool flag_or(const JsonObject& object, std::string_view key, bool otherwise) {
  return object.has(key) ? object.flag(key) : otherwise;
}

/// A key that must be absent, null or have its idle value.
void refuse_unless(const JsonObject& object, std::string_view key, const nlohmann::json& idle) {
  if (object.has(key) && object.get(key) != idle) object.fail(key, cat(idle.dump(), " or nothing"));
}

/// Files of before 2021 do not say what their model is.
std::string model_type(const JsonObject& model) {
  if (model.has("type")) return model.text("type");
  return model.has("merges") ? "BPE" : model.has("max_input_chars_per_word") ? "WordPiece" : "";
}

WordPieceOptions read_wordpiece(const JsonObject& root, const JsonObject& model) {
  WordPieceOptions options;
  const JsonObject normalizer = object_of_type(root, "normalizer", "BertNormalizer");
  options.normalizer.clean_text = normalizer.flag("clean_text");
  options.normalizer.chinese_chars = normalizer.flag("handle_chinese_chars");
  options.normalizer.lowercase = normalizer.flag("lowercase");
  options.normalizer.strip_accents =
      flag_or(normalizer, "strip_accents", options.normalizer.lowercase);
  object_of_type(root, "pre_tokenizer", "BertPreTokenizer");
  options.unk = model.text("unk_token");
  options.prefix = model.text("continuing_subword_prefix");
  options.max_word_chars = static_cast<int>(model.integer("max_input_chars_per_word", 0, 1 << 20));
  return options;
}

BytePairOptions read_byte_pair(const JsonObject& root, const JsonObject& model) {
  if (root.has("normalizer")) root.fail("normalizer", "null beside byte-level BPE");
  const JsonObject splitter = object_of_type(root, "pre_tokenizer", "ByteLevel");
  refuse_unless(splitter, "use_regex", true);
  refuse_unless(model, "dropout", 0.0);
  refuse_unless(model, "continuing_subword_prefix", "");
  refuse_unless(model, "end_of_word_suffix", "");
  refuse_unless(model, "byte_fallback", false);
  refuse_unless(model, "ignore_merges", false);
  const JsonObject frame = object_of_type(root, "post_processor", "RobertaProcessing");
  return {.add_prefix_space = splitter.flag("add_prefix_space"),
          .trim_spans = frame.flag("trim_offsets"),
          .trim_keeps_first = frame.flag("add_prefix_space")};
}

}  // namespace

std::unique_ptr<const Tokenizer> read_tokenizer_json(const std::filesystem::path& path,
                                                     std::string pad) {
  const nlohmann::json json = parse_json(read_text_file(path, kMaxJsonBytes), path.string());
  const JsonObject root(json, path.string());
  const JsonObject model = root.object("model");
  const std::string type = model_type(model);
  const bool wordpiece = type == "WordPiece";
  if (!wordpiece && type != "BPE") model.fail("type", "\"WordPiece\" or \"BPE\"");

  auto [vocabulary, added] = read_json_vocabulary(root, model);
  Frame frame = read_json_frame(root, vocabulary);
  if (pad.empty()) pad = wordpiece ? "[PAD]" : "<pad>";
  const std::int32_t pad_id = vocabulary.at(pad, "the token of padding");
  if (wordpiece) {
    for (const AddedToken& token : added) {
      check_runtime(!token.late, "[tokenizer] ", path.string(),
                    ": expected added tokens that are not "
                    "'normalized', got '",
                    printable(token.content), "'");
    }
    WordPieceOptions options = read_wordpiece(root, model);
    return std::make_unique<WordPieceTokenizer>(
        TextTokenizer::Parts{std::move(vocabulary), AddedTokens(std::move(added)), std::move(frame),
                             pad_id},
        std::move(options));
  }
  const BytePairOptions options = read_byte_pair(root, model);
  Merges merges(read_json_merges(model), vocabulary, path.string());
  return std::make_unique<BytePairTokenizer>(
      TextTokenizer::Parts{std::move(vocabulary), AddedTokens(std::move(added)), std::move(frame),
                           pad_id},
      std::move(merges), options);
}

}  // namespace tokensieve
