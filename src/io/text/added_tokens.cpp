#include "text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "text/unicode.h"
#include "text/utf8.h"

namespace tokensieve {
namespace {

bool is_space(char32_t value) { return (char_classes(value) & kSpaceChar) != 0; }

/// `at` moved to the front of the white space before it, no further than `begin`.
std::size_t before_spaces(std::string_view text, std::size_t begin, std::size_t at) {
  for (bool found = true; found;) {
    found = false;
    for (std::size_t bytes = 1; bytes <= 3 && !found && begin + bytes <= at; ++bytes) {
      const TextChar c = decode_utf8(text.substr(0, at), at - bytes);
      found = c.end == at && is_space(c.value);
      if (found) at -= bytes;
    }
  }
  return at;
}

std::size_t behind_spaces(std::string_view text, std::size_t at, std::size_t end) {
  while (at < end) {
    const TextChar c = decode_utf8(text.substr(0, end), at);
    if (!is_space(c.value)) break;
    at = c.end;
  }
  return at;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  // Longest first: the first that fits is the one.
  std::ranges::stable_sort(tokens_, std::greater{}, [](const auto& t) { return t.content.size(); });
  for (const AddedToken& token : tokens_) {
    begins_[token.late][static_cast<unsigned char>(token.content.front())] = true;
  }
}

void AddedTokens::split_part(std::string_view text, TextPart part, bool late,
                             std::vector<TextPart>& parts) const {
  std::size_t from = part.begin;  // what is not in `parts` yet
  for (std::size_t at = part.begin; at < part.end;) {
    if (!begins_[late][static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const auto token = std::ranges::find_if(tokens_, [&](const AddedToken& t) {
      return t.late == late && text.substr(at, part.end - at).starts_with(t.content);
    });
    if (token == tokens_.end()) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->content.size();
    if (token->lstrip) begin = before_spaces(text, from, begin);
    if (token->rstrip) end = behind_spaces(text, end, part.end);
    if (from < begin) parts.push_back({from, begin, -1});
    parts.push_back({begin, end, token->id});
    from = at = end;
  }
  if (from < part.end) parts.push_back({from, part.end, -1});
}

std::vector<TextPart> AddedTokens::split(std::string_view text) const {
  std::vector<TextPart> early, parts;
  split_part(text, {0, text.size(), -1}, false, early);
  for (const TextPart& part : early) {
    if (part.id >= 0) {
      parts.push_back(part);
    } else {
      split_part(text, part, true, parts);
    }
  }
  return parts;
}

}  // namespace tokensieve
