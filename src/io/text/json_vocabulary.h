#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/json_object.h"
#include "text/added_tokens.h"
#include "text/vocabulary.h"

namespace tokensieve {

/// The tokens of an object of ids by token, in order of their ids. Throws runtime_error unless the
/// ids are 0 to one less than their number, each once.
std::vector<std::string> tokens_by_id(const nlohmann::json& ids, const std::string& file);

/// `model.vocab` together with `added_tokens`, which are given apart, too.
std::pair<Vocabulary, std::vector<AddedToken>> read_json_vocabulary(const JsonObject& root,
                                                                    const JsonObject& model);

/// `model.merges`: pairs, or strings of two tokens with a space between them.
std::vector<std::pair<std::string, std::string>> read_json_merges(const JsonObject& model);

/// A merge of two tokens with a space between them. Throws runtime_error naming the file and, from
/// 0, which one it is.
std::pair<std::string, std::string> split_merge(std::string_view merge, const std::string& file,
                                                std::size_t number);

}  // namespace tokensieve
