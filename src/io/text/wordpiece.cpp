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

bool WordPieceTokenizer::spell(std::string_view word, const unsigned char* fold,
                               std::vector<Piece>& pieces) const {
  pieces.clear();
  std::uint32_t node = 0;
  for (std::size_t at = 0; at < word.size(); node = inside_) {
    if (node == Trie::kNone) return false;
    const auto [id, end] = trie_.longest(node, word, at, fold);
    if (id < 0) return false;
    pieces.push_back({id, at, end});
    at = end;
  }
  return true;
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
    const std::string_view word = text.substr(begin, next - begin);
    const bool known = word.size() <= static_cast<std::size_t>(options_.max_word_chars) &&
                       spell(word, lower_, pieces);
    if (!known) out.add(unk_, span(begin, next));
    for (std::size_t k = 0; known && k < pieces.size(); ++k) {
      out.add(pieces[k].id, span(begin + pieces[k].begin, begin + pieces[k].end));
    }
    ++out.words;
    begin = next;
  }
}

void WordPieceTokenizer::add_any(std::string_view text, std::size_t begin, std::size_t end,
                                 TextTokens& out, std::vector<Piece>& pieces) const {
  const std::vector<TextChar> chars = options_.normalizer(decode_utf8(text, begin, end));
  std::string word;
  std::vector<TextChar> sources;  // of each byte of the word
  int count = 0;
  const auto end_word = [&] {
    if (count == 0) return;
    const bool known = count <= options_.max_word_chars && spell(word, as_it_is_, pieces);
    if (!known) out.add(unk_, span(sources.front().begin, sources.back().end));
    for (std::size_t k = 0; known && k < pieces.size(); ++k) {
      out.add(pieces[k].id, span(sources[pieces[k].begin].begin, sources[pieces[k].end - 1].end));
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
