#include "text/bpe.h"

#include <algorithm>
#include <utility>

#include "text/byte_level.h"
#include "text/unicode.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

BytePairTokenizer::BytePairTokenizer(Parts parts, Merges merges, BytePairOptions options)
    : TextTokenizer(std::move(parts)), merges_(std::move(merges)), options_(options) {
  for (int byte = 0; byte < 256; ++byte) {
    symbols_[byte] = vocabulary().at(byte_symbol(static_cast<unsigned char>(byte)),
                                     cat("the symbol of byte ", byte));
  }
}

void BytePairTokenizer::add_text(std::string_view text, std::size_t begin, std::size_t end,
                                 std::size_t enough, TextTokens& out) const {
  const std::vector<TextChar> source = decode_utf8(text, begin, end);
  const bool prefixed = options_.add_prefix_space && source.front().value != U' ';
  std::vector<TextChar> chars = source;
  if (prefixed) chars.insert(chars.begin(), {U' ', source.front().begin, source.front().end});

  std::string bytes;
  std::vector<std::size_t> owner;  // of each byte: its character in `source`
  std::vector<Merges::Symbol> symbols;
  std::size_t at = 0;
  for (const std::size_t match_end : split_gpt2(chars)) {
    if (out.tokens.ids.size() >= enough) return;
    bytes.clear();
    owner.clear();
    symbols.clear();
    for (; at < match_end; ++at) {
      append_utf8(chars[at].value, bytes);
      owner.resize(bytes.size(), prefixed && at > 0 ? at - 1 : at);
    }
    for (const char byte : bytes)
      symbols.push_back({symbols_[static_cast<unsigned char>(byte)], 1});
    merges_.apply(symbols);

    std::size_t from = 0;
    for (const auto& [id, length] : symbols) {
      const std::string_view token = std::string_view(bytes).substr(from, length);
      const std::size_t leading = std::min(token.find_first_not_of(' '), token.size());
      const std::size_t trailing = token.size() - (token.find_last_not_of(' ') + 1);
      out.add(id, trimmed(source, owner[from], owner[from + length - 1] + 1, leading, trailing,
                          out.tokens.ids.empty()));
      from += length;
    }
    ++out.words;
  }
}

Tokens::Span BytePairTokenizer::added_span(std::string_view text, const TextPart& part,
                                           bool first) const {
  const std::vector<TextChar> chars = decode_utf8(text, part.begin, part.end);
  const auto is_space = [](const TextChar& c) {
    return c.value == U'\u0120' || (char_classes(c.value) & kSpaceChar);
  };
  const auto leading = std::ranges::find_if_not(chars, is_space) - chars.begin();
  const auto trailing = std::find_if_not(chars.rbegin(), chars.rend(), is_space) - chars.rbegin();
  return trimmed(chars, 0, chars.size(), static_cast<std::size_t>(leading),
                 static_cast<std::size_t>(trailing), first);
}

Tokens::Span BytePairTokenizer::trimmed(const std::vector<TextChar>& chars, std::size_t first,
                                        std::size_t last, std::size_t leading, std::size_t trailing,
                                        bool first_token) const {
  if (options_.trim_spans) {
    const bool at_front = first_token || chars[first].begin == 0;
    if (at_front && options_.trim_keeps_first && leading == 1) leading = 0;
    first = std::min(first + leading, last);
    last = last - first < trailing ? first : last - trailing;
  }
  const auto byte = [&](std::size_t k) {
    return k < chars.size() ? chars[k].begin : chars.back().end;
  };
  return {byte(first), byte(last)};
}

}  // namespace tokensieve
