#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tokensieve {

/// The largest vocabulary accepted, in tokens and in bytes of all of them.
inline constexpr std::size_t kMaxTokens = std::size_t{1} << 20;
inline constexpr std::size_t kMaxVocabularyBytes = std::size_t{8} << 20;

/// Tokens by id and ids by token. Of tokens that come twice the last is found, as in a Python dict.
class Vocabulary {
 public:
  /// `file` names the file in messages. Throws runtime_error for one without tokens or past the
  /// limits above.
  Vocabulary(std::vector<std::string> tokens, std::string file);

  int size() const { return static_cast<int>(tokens_.size()); }
  const std::string& file() const { return file_; }
  const std::vector<std::string>& tokens() const { return tokens_; }
  /// The id of a token; -1 if there is none.
  std::int32_t find(std::string_view token) const;
  /// The id of a token that must be there: runtime_error, naming the file and what it is `for_`.
  std::int32_t at(std::string_view token, std::string_view for_) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
  std::string file_;
};

}  // namespace tokensieve
