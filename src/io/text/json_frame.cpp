#include "text/json_frame.h"

#include <algorithm>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr std::size_t kMaxFrameParts = 100;

/// The id of `["[SEP]", 102]`, checked against the vocabulary.
std::int32_t named_id(const JsonObject& object, std::string_view key,
                      const Vocabulary& vocabulary) {
  const nlohmann::json& value = object.get(key);
  if (!value.is_array() || value.size() != 2 || !value[0].is_string()) {
    object.fail(key, "a token and its id");
  }
  const std::int32_t id = vocabulary.find(value[0].get<std::string>());
  if (id < 0 || value[1] != id) object.fail(key, "a token of the vocabulary and its id there");
  return id;
}

FramePart read_part(const JsonObject& part, const Vocabulary& vocabulary) {
  if (part.has("SpecialToken")) {
    const JsonObject token = part.object("SpecialToken");
    const std::int32_t id = vocabulary.find(token.text("id"));
    if (id < 0) token.fail("id", "a token of the vocabulary");
    return {FramePart::kSpecial, id, static_cast<std::int32_t>(token.integer("type_id", 0, 1))};
  }
  const JsonObject text = part.object("Sequence");
  const std::string name = text.text("id");
  if (name != "A" && name != "B") text.fail("id", "\"A\" or \"B\"");
  return {name == "A" ? FramePart::kFirst : FramePart::kSecond, -1,
          static_cast<std::int32_t>(text.integer("type_id", 0, 1))};
}

std::vector<FramePart> read_template(const JsonObject& processor, std::string_view key,
                                     std::ptrdiff_t seconds, const Vocabulary& vocabulary) {
  const nlohmann::json& list = processor.get(key);
  if (!list.is_array() || list.size() > kMaxFrameParts) {
    processor.fail(key, cat("a list of at most ", kMaxFrameParts, " parts"));
  }
  std::vector<FramePart> parts;
  for (std::size_t k = 0; k < list.size(); ++k) {
    const JsonObject part(list[k], processor.file(), cat("post_processor.", key, "[", k, "]"));
    parts.push_back(read_part(part, vocabulary));
  }
  if (std::ranges::count(parts, FramePart::kFirst, &FramePart::kind) != 1 ||
      std::ranges::count(parts, FramePart::kSecond, &FramePart::kind) != seconds) {
    processor.fail(key, seconds ? "parts with A and B once each" : "parts with A once and no B");
  }
  return parts;
}

}  // namespace

Frame read_json_frame(const JsonObject& root, const Vocabulary& vocabulary) {
  const JsonObject processor = root.object("post_processor");
  const std::string type = processor.text("type");
  if (type == "TemplateProcessing") {
    return {read_template(processor, "single", 0, vocabulary),
            read_template(processor, "pair", 1, vocabulary)};
  }
  if (type != "BertProcessing" && type != "RobertaProcessing") {
    processor.fail("type", "TemplateProcessing, BertProcessing or RobertaProcessing");
  }
  const std::int32_t cls = named_id(processor, "cls", vocabulary);
  const std::int32_t sep = named_id(processor, "sep", vocabulary);
  return type == "BertProcessing" ? bert_frame(cls, sep) : roberta_frame(cls, sep);
}

}  // namespace tokensieve
