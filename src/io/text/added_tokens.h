#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

/// A token that a text may name outright, such as "[MASK]".
struct AddedToken {
  std::string content;
  std::int32_t id = -1;
  bool lstrip = false;  ///< Takes the white space before it along.
  bool rstrip = false;  ///< And that after it.
  bool late = false;    ///< Looked for where the others have left text ("normalized").
};

/// Bytes [begin, end) of a text: an added token, or text (-1) between two of them; never empty.
struct TextPart {
  std::size_t begin, end;
  std::int32_t id;
};

/// Splits texts at added tokens, the leftmost first and of those the longest, as Hugging Face does
/// before anything else happens to a text.
class AddedTokens {
 public:
  explicit AddedTokens(std::vector<AddedToken> tokens);

  std::vector<TextPart> split(std::string_view text) const;

 private:
  void split_part(std::string_view text, TextPart part, bool late,
                  std::vector<TextPart>& parts) const;

  std::vector<AddedToken> tokens_;
  bool begins_[2][256] = {};  ///< [late][byte]: whether a token begins with it.
};

}  // namespace tokensieve
