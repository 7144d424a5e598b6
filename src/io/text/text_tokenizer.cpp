#include "text/text_tokenizer.h"

#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

/// Tokens that fit beside the special ones.
std::size_t room_in(const std::vector<FramePart>& frame, int max_tokens) {
  const int special = count_special(frame);
  check_argument(max_tokens >= special, "[encode] expected max_tokens of at least ", special,
                 ", the special tokens, got ", max_tokens);
  return static_cast<std::size_t>(max_tokens - special);
}

}  // namespace

TextTokenizer::TextTokenizer(Parts parts) : parts_(std::move(parts)) {}

Tokens TextTokenizer::encode(std::string_view text, int max_tokens) const {
  const std::size_t room = room_in(parts_.frame.single, max_tokens);
  Tokens tokens = tokens_of(text, room), none;
  truncate_longest_first(tokens, none, room);
  return fill_frame(parts_.frame.single, tokens, none);
}

Tokens TextTokenizer::encode_pair(std::string_view first, std::string_view second,
                                  int max_tokens) const {
  const std::size_t room = room_in(parts_.frame.pair, max_tokens);
  Tokens a = tokens_of(first, SIZE_MAX), b = tokens_of(second, SIZE_MAX);
  truncate_longest_first(a, b, room);
  return fill_frame(parts_.frame.pair, a, b);
}

std::string TextTokenizer::token(std::int32_t id) const {
  check_argument(id >= 0 && id < vocab_size(), "[token] expected an id in [0, ", vocab_size(),
                 "), got ", id);
  return parts_.vocabulary.tokens()[static_cast<std::size_t>(id)];
}

Tokens::Span TextTokenizer::added_span(std::string_view, const TextPart& part, bool) const {
  return {static_cast<std::uint32_t>(part.begin), static_cast<std::uint32_t>(part.end)};
}

Tokens TextTokenizer::tokens_of(std::string_view text, std::size_t enough) const {
  check_argument(text.size() <= INT32_MAX, "[encode] expected a text of at most ", INT32_MAX,
                 " bytes, got ", text.size());
  TextTokens out;
  for (const TextPart& part : parts_.added.split(text)) {
    if (out.tokens.ids.size() >= enough) break;
    if (part.id < 0) {
      add_text(text, part.begin, part.end, enough, out);
    } else {
      out.add(part.id, added_span(text, part, out.tokens.ids.empty()));
      ++out.words;
    }
  }
  return std::move(out.tokens);
}

}  // namespace tokensieve
