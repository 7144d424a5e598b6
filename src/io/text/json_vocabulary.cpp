#include "text/json_vocabulary.h"

#include <optional>

#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

// Each is looked for at every place of a text.
constexpr std::size_t kMaxAddedTokens = 1000;

}  // namespace

std::vector<std::string> tokens_by_id(const nlohmann::json& ids, const std::string& file) {
  check_runtime(ids.is_object() && !ids.empty() && ids.size() <= kMaxTokens, "[tokenizer] ", file,
                ": expected a vocabulary of 1 to ", kMaxTokens, " ids by token, got ",
                ids.is_object() ? cat(ids.size()) : ids.type_name());
  std::vector<std::optional<std::string>> found(ids.size());
  for (const auto& [token, id] : ids.items()) {
    const bool good = id.is_number_unsigned() && id.get<std::uint64_t>() < found.size() &&
                      !found[id.get<std::size_t>()];
    check_runtime(good, "[tokenizer] ", file, ": expected ids 0 to ", found.size() - 1,
                  ", each once, got ", printable(id.dump()), " for '", printable(token), "'");
    found[id.get<std::size_t>()] = token;
  }
  std::vector<std::string> tokens;
  tokens.reserve(found.size());
  for (auto& token : found) tokens.push_back(std::move(*token));
  return tokens;
}

std::pair<Vocabulary, std::vector<AddedToken>> read_json_vocabulary(const JsonObject& root,
                                                                    const JsonObject& model) {
  std::vector<std::string> tokens = tokens_by_id(model.get("vocab"), root.file());
  const auto in_model = static_cast<std::int64_t>(tokens.size());
  const nlohmann::json& list = root.get("added_tokens");
  if (!list.is_null() && (!list.is_array() || list.size() > kMaxAddedTokens)) {
    root.fail("added_tokens", cat("a list of at most ", kMaxAddedTokens, " tokens"));
  }
  std::vector<AddedToken> added;
  for (std::size_t k = 0; k < list.size(); ++k) {
    const JsonObject entry(list[k], root.file(), cat("added_tokens[", k, "]"));
    const auto size = static_cast<std::int64_t>(tokens.size());
    AddedToken token;
    token.content = entry.text("content");
    if (token.content.empty()) entry.fail("content", "a token");
    token.id = static_cast<std::int32_t>(entry.integer("id", 0, size));
    token.lstrip = entry.flag("lstrip");
    token.rstrip = entry.flag("rstrip");
    token.late = entry.flag("normalized");
    if (entry.flag("single_word")) entry.fail("single_word", "false");
    const auto place = static_cast<std::size_t>(token.id);
    if (token.id == size) {
      tokens.push_back(token.content);
    } else if (tokens[place] != token.content) {
      entry.fail("id", token.id < in_model ? cat("that of '", printable(token.content), "'")
                                           : cat("the next, ", size));
    }
    added.push_back(std::move(token));
  }
  return {Vocabulary(std::move(tokens), root.file()), std::move(added)};
}

std::pair<std::string, std::string> split_merge(std::string_view merge, const std::string& file,
                                                std::size_t number) {
  const auto space = merge.find(' ');
  check_runtime(space != merge.npos && merge.find(' ', space + 1) == merge.npos, "[tokenizer] ",
                file, ": expected merge ", number, " to be two tokens and a space, got '",
                printable(merge), "'");
  return {std::string(merge.substr(0, space)), std::string(merge.substr(space + 1))};
}

std::vector<std::pair<std::string, std::string>> read_json_merges(const JsonObject& model) {
  const nlohmann::json& list = model.get("merges");
  if (!list.is_array()) model.fail("merges", "a list");
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(list.size());
  for (const nlohmann::json& merge : list) {
    if (merge.is_string()) {
      merges.push_back(
          split_merge(merge.get_ref<const std::string&>(), model.file(), merges.size()));
      continue;
    }
    check_runtime(
        merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string(),
        "[tokenizer] ", model.file(), ": expected merge ", merges.size(), " to be two tokens, got ",
        printable(merge.dump()));
    merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
  }
  return merges;
}

}  // namespace tokensieve
