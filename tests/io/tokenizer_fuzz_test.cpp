#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "text/bert_normalizer.h"
#include "text/wordpiece.h"
#include "tokenizer_fixture.h"

using namespace tokensieve;

namespace {

/// Bytes of a few kinds: any, ASCII, beginnings and ends of UTF-8 characters, special tokens.
std::string random_bytes(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {
      "[MASK]", "<mask>", " ", "\n", "'s", "abc", "\u0301", "\u4e2d", "\u0130", "\xe2\x82", "\xf0"};
  std::string text;
  for (std::size_t k = random() % 40; k > 0; --k) {
    const unsigned kind = random() % 4;
    if (kind == 0) text += static_cast<char>(random());
    if (kind == 1) text += static_cast<char>(random() % 128);
    if (kind == 2) text += static_cast<char>(0x80 + random() % 128);
    if (kind == 3) text += kPieces[random() % kPieces.size()];
  }
  return text;
}

/// What must hold of any text's tokens.
void check_tokens(const Tokenizer& tokenizer, const Tokens& tokens, std::size_t bytes, int most) {
  const std::size_t count = tokens.ids.size();
  CHECK(count <= static_cast<std::size_t>(most));
  REQUIRE((tokens.types.size() == count && tokens.spans.size() == count &&
           tokens.words.size() == count));
  bool good = true;
  for (std::size_t k = 0; k < count; ++k) {
    good = good && tokens.ids[k] >= 0 && tokens.ids[k] < tokenizer.vocab_size() &&
           tokens.spans[k].begin <= tokens.spans[k].end && tokens.spans[k].end <= bytes;
  }
  CHECK(good);
}

bool equal(const Tokens& a, const Tokens& b) {
  return a.ids == b.ids && a.types == b.types && a.spans == b.spans && a.words == b.words;
}

TextTokenizer::Parts small_parts() {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (char c = 'a'; c <= 'z'; ++c) {
    tokens.push_back(std::string(1, c));
    tokens.push_back("##" + tokens.back());
    tokens.push_back("##b" + std::string(1, c));
  }
  for (const char* token : {"A", "##A", "'", ",", "\u4e2d", "##\u0301", "\u0301"}) {
    tokens.push_back(token);
  }
  return {Vocabulary(tokens, "test"), AddedTokens({{"[MASK]", 4}}), bert_frame(2, 3), 0};
}

}  // namespace

TEST_CASE("Random bytes give tokens within bounds", "[io][tokenizer]") {
  const TempFolder a, b;
  const auto bert = open_bert(a, {"a", "##b", "abc", "'", "\u4e2d"});
  const auto roberta = open_json(b, roberta_json());
  std::mt19937 random(7);
  for (int k = 0; k < 3000; ++k) {
    const std::string first = random_bytes(random), second = random_bytes(random);
    const int most = 4 + static_cast<int>(random() % 60);
    for (const Tokenizer* t : {bert.get(), roberta.get()}) {
      check_tokens(*t, t->encode(first, most), first.size(), most);
      check_tokens(*t, t->encode_pair(first, second, most), std::max(first.size(), second.size()),
                   most);
    }
  }
}

TEST_CASE("The ASCII path gives what the path of all characters gives", "[io][tokenizer]") {
  std::mt19937 random(8);
  for (unsigned switches = 0; switches < 16; ++switches) {
    WordPieceOptions options;
    options.normalizer = {.clean_text = (switches & 1) != 0,
                          .chinese_chars = (switches & 2) != 0,
                          .strip_accents = (switches & 4) != 0,
                          .lowercase = (switches & 8) != 0};
    options.max_word_chars = 6;
    const WordPieceTokenizer fast(small_parts(), options);
    options.ascii_fast_path = false;
    const WordPieceTokenizer plain(small_parts(), options);
    bool same = true;
    for (int k = 0; k < 500; ++k) {
      const std::string text = random_bytes(random);
      same = same && equal(fast.encode(text, 1000), plain.encode(text, 1000));
      same = same && equal(fast.encode(text, 7), plain.encode(text, 7));
    }
    CHECK(same);
  }
}

TEST_CASE("Cutting a text early changes nothing but its length", "[io][tokenizer]") {
  const TempFolder folder;
  const auto roberta = open_json(folder, roberta_json());
  const WordPieceTokenizer bert(small_parts(), {});
  std::mt19937 random(9);
  for (int k = 0; k < 300; ++k) {
    const std::string text = random_bytes(random);
    for (const Tokenizer* t : {roberta.get(), static_cast<const Tokenizer*>(&bert)}) {
      const Tokens whole = t->encode(text, 1000);
      for (std::size_t most = 2; most < whole.ids.size(); ++most) {
        const Tokens cut = t->encode(text, static_cast<int>(most));
        REQUIRE(cut.ids.size() == most);
        CHECK(std::equal(cut.ids.begin(), cut.ids.end() - 1, whole.ids.begin()));
        CHECK(std::equal(cut.spans.begin(), cut.spans.end() - 1, whole.spans.begin()));
      }
    }
  }
}

TEST_CASE("Marks are put into canonical order, with the bytes of the places they take",
          "[io][tokenizer]") {
  // q, dot above (230), dot below (220): the marks change places, the bytes stay.
  const std::string text = "q\u0307\u0323\u00e9";
  const auto chars = decompose_all(decode_utf8(text, 0, text.size()));
  std::u32string values;
  for (const TextChar& c : chars) values += c.value;
  CHECK(values == U"q\u0323\u0307e\u0301");
  CHECK((chars[1].begin == 1 && chars[2].begin == 3));
  CHECK((chars[3].begin == 5 && chars[4].begin == 5 && chars[4].end == 7));
  const std::string hangul = "\ud55c\uac00";
  CHECK(decompose_all(decode_utf8(hangul, 0, hangul.size())).size() == 5);
}
