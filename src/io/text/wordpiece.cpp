#include "text/wordpiece.h"

#include <utility>

#include "text/unicode.h"

namespace tokensieve {
namespace {

Tokens::Span span(std::size_t begin, std::size_t end) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

}  // namespace

WordPieceTokenizer::WordPieceTokenizer(Parts parts, WordPieceOptions options)
    : TextTokenizer(std::move(parts)),
      options_(std::move(options)),
      unk_(vocabulary().at(options_.unk, "the token of unknown words")),
      trie_(vocabulary().tokens()),
      inside_(trie_.descend(0, options_.prefix)) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::uint8_t classes = byte < 0x80 ? char_classes(static_cast<char32_t>(byte)) : 0;
    const bool removed = options_.normalizer.clean_text && (classes & kRemovedChar);
    ascii_[byte] = byte >= 0x80 || removed      ? Ascii::hard
                   : classes & kSpaceChar       ? Ascii::space
                   : classes & kPunctuationChar ? Ascii::punctuation
                                                : Ascii::letter;
    as_it_is_[byte] = lower_[byte] = static_cast<unsigned char>(byte);
    if (options_.normalizer.lowercase && byte >= 'A' && byte <= 'Z') {
      lower_[byte] = static_cast<unsigned char>(byte - 'A' + 'a');
    }
  }
}

void WordPieceTokenizer::spell(std::string_view word, std::size_t chars, const unsigned char* fold,
                               std::vector<Piece>& pieces) const {
  pieces.clear();
  bool known = chars <= static_cast<std::size_t>(options_.max_word_chars);
  std::uint32_t node = 0;
  for (std::size_t at = 0; known && at < word.size(); node = inside_) {
    const auto [id, end] =
        node == Trie::kNone ? Trie::Match{-1, at} : trie_.longest(node, word, at, fold);
    known = id >= 0;
    pieces.push_back({id, at, end});
    at = end;
  }
  if (!known) pieces.assign(1, {unk_, 0, word.size()});
}

void WordPieceTokenizer::add_text(std::string_view text, std::size_t begin, std::size_t end,
                                  std::size_t enough, TextTokens& out) const {
  // ASCII white space separates words whatever stands beside it, so what lies between takes the
  // fast path or the other on its own.
  std::vector<Piece> pieces;
  while (begin < end && out.tokens.ids.size() < enough) {
    const auto kind = [&](std::size_t at) { return ascii_[static_cast<unsigned char>(text[at])]; };
    if (kind(begin) == Ascii::space) {
      ++begin;
      continue;
    }
    bool hard = !options_.ascii_fast_path;
    std::size_t next = begin;
    for (; next < end && kind(next) != Ascii::space; ++next) hard |= kind(next) == Ascii::hard;
    if (hard) {
      add_any(text, begin, next, out, pieces);
    } else {
      add_ascii(text, begin, next, out, pieces);
    }
    begin = next;
  }
}

void WordPieceTokenizer::add_ascii(std::string_view text, std::size_t begin, std::size_t end,
                                   TextTokens& out, std::vector<Piece>& pieces) const {
  const auto is_letter = [&](std::size_t at) {
    return ascii_[static_cast<unsigned char>(text[at])] == Ascii::letter;
  };
  while (begin < end) {
    std::size_t next = begin + 1;
    if (is_letter(begin)) {
      while (next < end && is_letter(next)) ++next;
    }
    spell(text.substr(begin, next - begin), next - begin, lower_, pieces);
    for (const Piece& p : pieces) out.add(p.id, span(begin + p.begin, begin + p.end));
    ++out.words;
    begin = next;
  }
}

void WordPieceTokenizer::add_any(std::string_view text, std::size_t begin, std::size_t end,
                                 TextTokens& out, std::vector<Piece>& pieces) const {
  const std::vector<TextChar> chars = options_.normalizer(decode_utf8(text, begin, end));
  std::string word;
  std::vector<TextChar> sources;  // of each byte of the word
  std::size_t count = 0;
  const auto end_word = [&] {
    if (count == 0) return;
    spell(word, count, as_it_is_, pieces);
    for (const Piece& p : pieces) {
      out.add(p.id, span(sources[p.begin].begin, sources[p.end - 1].end));
    }
    ++out.words;
    word.clear();
    sources.clear();
    count = 0;
  };
  for (const TextChar& c : chars) {
    const std::uint8_t classes = char_classes(c.value);
    if (classes & (kSpaceChar | kPunctuationChar)) end_word();
    if (classes & kSpaceChar) continue;
    append_utf8(c.value, word);
    sources.resize(word.size(), c);
    ++count;
    if (classes & kPunctuationChar) end_word();
  }
  end_word();
}

}  // namespace tokensieve
