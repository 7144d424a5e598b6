#include "tokensieve/io/tokenizer.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "tokenizer_fixture.h"

using namespace tokensieve;
using Catch::Contains;
using Ids = std::vector<std::int32_t>;
using Spans = std::vector<Tokens::Span>;

namespace {

constexpr int kAll = 1000;
constexpr std::int32_t kUnk = 1, kCls = 2, kSep = 3, kMask = 4;  // of vocab_text; pieces follow

/// The ids between [CLS] and [SEP].
Ids inner(const Tokenizer& tokenizer, std::string_view text) {
  const Ids ids = tokenizer.encode(text, kAll).ids;
  return {ids.begin() + 1, ids.end() - 1};
}

}  // namespace

TEST_CASE("WordPiece spells words by the longest pieces, from the left", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"un", "##aff", "##able", "##affa", "##b", "unab"});
  CHECK(inner(*t, "unaffable") == Ids{kUnk});  // ##affa leaves "ble"
  CHECK(inner(*t, "unable") == Ids{kUnk});     // unab leaves "le"
  CHECK(inner(*t, "unaff") == Ids{5, 6});
  CHECK(inner(*t, "unab") == Ids{10});
  CHECK(inner(*t, "aff") == Ids{kUnk});  // ##aff begins no word
  CHECK(t->token(6) == "##aff");
  CHECK(t->vocab_size() == 11);
  CHECK(t->pad_id() == 0);
}

TEST_CASE("Words are parted by white space and around punctuation", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"a", "b", ".", "$", "\u2014", "\u4e2d"});
  const Tokens tokens = t->encode(" a.b$\u2014\u3000\u4e2d\u4e2d a", kAll);
  CHECK(tokens.ids == Ids{kCls, 5, 7, 6, 8, 9, 10, 10, 5, kSep});
  CHECK(
      tokens.spans ==
      Spans{{0, 0}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 8}, {11, 14}, {14, 17}, {18, 19}, {0, 0}});
  CHECK(tokens.words == Ids{-1, 0, 1, 2, 3, 4, 5, 6, 7, -1});
  CHECK(tokens.types == Ids(10, 0));
}

TEST_CASE("Case and accents go as the configuration says", "[io][tokenizer]") {
  const TempFolder folder;
  const std::vector<std::string> pieces = {"cafe", "caf\u00e9", "CAF\u00c9", "CAFE"};
  const auto id = [&](std::string_view config) {
    return inner(*open_bert(folder, pieces, config), "CAF\u00c9");
  };
  CHECK(inner(*open_bert(folder, pieces), "CAF\u00c9") == Ids{5});
  CHECK(id(R"({"strip_accents": false})") == Ids{6});
  CHECK(id(R"({"do_lower_case": false})") == Ids{7});
  CHECK(id(R"({"do_lower_case": false, "strip_accents": true})") == Ids{8});
  const auto chinese = open_bert(folder, {"\u4e2d"}, R"({"tokenize_chinese_chars": false})");
  CHECK(inner(*chinese, "\u4e2d\u4e2d") == Ids{kUnk});
}

TEST_CASE("Control characters go, and a span reaches over them", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"ab"});
  const Tokens tokens = t->encode(std::string_view("\0a\x01\u200bb\x7f", 9), kAll);
  CHECK(tokens.ids == Ids{kCls, 5, kSep});
  CHECK(tokens.spans[1] == Tokens::Span{1, 7});
}

TEST_CASE("A word of more than 100 characters is unknown", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"a", "##a", "\u0416", "##\u0416"},
                           R"({"do_lower_case": false, "mask_token": {"content": "[NONE]"}})");
  CHECK(inner(*t, std::string(100, 'a')).size() == 100);
  CHECK(inner(*t, std::string(101, 'a')) == Ids{kUnk});
  std::string word;
  for (int k = 0; k < 100; ++k) word += "\u0416";
  CHECK(inner(*t, word).size() == 100);
  CHECK(inner(*t, word + "a") == Ids{kUnk});
  CHECK(t->encode(word + "a", kAll).spans[1] == Tokens::Span{0, 201});
  CHECK(inner(*t, "[MASK]").size() == 3);  // no special token by this configuration
}

TEST_CASE("Special tokens may stand in a text, as words of it", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"a", "[", "mask", "]"});
  const Tokens tokens = t->encode("a[MASK]a [SEP]", kAll);
  CHECK(tokens.ids == Ids{kCls, 5, kMask, 5, kSep, kSep});
  CHECK(tokens.words == Ids{-1, 0, 1, 2, 3, -1});
  CHECK(tokens.spans[2] == Tokens::Span{1, 7});
  CHECK(inner(*t, "[mask]") == Ids{6, 7, 8});
}

TEST_CASE("Bytes that are not UTF-8 count as U+FFFD", "[io][tokenizer]") {
  const TempFolder folder;
  const auto bert = open_bert(folder, {"ab"});
  CHECK(inner(*bert,
              "a\xff\xe2\x82"
              "b") == Ids{5});  // cleaned away as U+FFFD is
  const TempFolder other;
  const auto roberta = open_json(other, roberta_json());
  for (const auto& [bytes, count] :
       {std::pair("\xff", 1), std::pair("\xe2\x82", 1), std::pair("\xf0\x9f\x98", 1),
        std::pair("\xed\xa0\x80", 3), std::pair("\xc0\xaf", 2), std::pair("\xf4\x90\x80\x80", 4),
        std::pair("\xe2\x28", 1)}) {
    std::string replaced;
    for (int k = 0; k < count; ++k) replaced += "\ufffd";
    if (std::string_view(bytes).ends_with('(')) replaced += "(";
    CHECK(inner(*roberta, bytes) == inner(*roberta, replaced));
  }
}

TEST_CASE("Empty and blank texts are the special tokens alone", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"a"});
  for (const char* text : {"", " ", "\n\t", "\u3000", "\x01"}) {
    CHECK(t->encode(text, kAll).ids == Ids{kCls, kSep});
  }
  CHECK(t->encode_pair("", "", kAll).ids == Ids{kCls, kSep, kSep});
}

TEST_CASE("A text is cut at its end, a pair at the longer text's", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"a", "b", "##b"});
  const Tokens cut = t->encode("a b abb", 6);
  CHECK(cut.ids == Ids{kCls, 5, 6, 5, 7, kSep});
  CHECK(cut.words == Ids{-1, 0, 1, 2, 2, -1});
  CHECK(cut.spans.size() == 6);
  CHECK(t->encode("a b", 2).ids == Ids{kCls, kSep});

  const Tokens pair = t->encode_pair("a a", "b", kAll);
  CHECK(pair.ids == Ids{kCls, 5, 5, kSep, 6, kSep});
  CHECK(pair.types == Ids{0, 0, 0, 0, 1, 1});
  CHECK(pair.words == Ids{-1, 0, 1, -1, 0, -1});
  const auto counts = [&](std::string_view first, std::string_view second, int max_tokens) {
    const Tokens tokens = t->encode_pair(first, second, max_tokens);
    const auto a = std::count(tokens.ids.begin(), tokens.ids.end(), 5);
    return std::pair<long, long>(a, static_cast<long>(tokens.ids.size()) - 3 - a);
  };
  CHECK(counts("a a a a", "b", 6) == std::pair(2L, 1L));
  CHECK(counts("a", "b b b b", 6) == std::pair(1L, 2L));
  CHECK(counts("a a a a", "b b b", 8) == std::pair(3L, 2L));  // the longer gets the odd one
  CHECK(counts("a a a", "b b b", 8) == std::pair(2L, 3L));    // of two alike, the second
  CHECK(counts("a a a", "b b b", 3) == std::pair(0L, 0L));
}

TEST_CASE("A length that the special tokens do not fit into is refused", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"a"});
  CHECK_THROWS_WITH(t->encode("a", 1), Contains("[encode]") && Contains("at least 2"));
  CHECK_THROWS_WITH(t->encode_pair("a", "a", 2), Contains("at least 3"));
  CHECK_THROWS_AS(t->encode("a", -1), std::invalid_argument);
  CHECK_THROWS_AS(t->token(-1), std::invalid_argument);
  CHECK_THROWS_WITH(t->token(6), Contains("[token]") && Contains("[0, 6)"));
  // Refused by its size alone: it is not read.
  const std::string_view huge("a", std::size_t{1} << 31);
  CHECK_THROWS_AS(t->encode(huge, kAll), std::invalid_argument);
}

TEST_CASE("A long text takes its tokens' time", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_bert(folder, {"a", "\u00df"});
  std::string text;
  for (int k = 0; k < 100'000; ++k) text += k % 2 ? "a " : "\u00df ";
  CHECK(t->encode(text, 1 << 20).ids.size() == 100'002);
  CHECK(t->encode(std::string(1'000'000, 'a'), kAll).ids == Ids{kCls, kUnk, kSep});
  const TempFolder other;
  CHECK(open_json(other, roberta_json())->encode(std::string(200'000, 'a'), 1 << 20).ids.size() ==
        200'002);
}

TEST_CASE("A tokenizer.json gives what its vocabulary file would", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_json(folder, bert_json());
  CHECK(t->encode("AB ab [SEP]", kAll).ids == Ids{2, 4, 5, 4, 5, 3, 3});
  CHECK(t->encode_pair("a", "ab", kAll).types == Ids{0, 0, 0, 1, 1, 1});

  nlohmann::json json = bert_json();
  json["post_processor"] = {
      {"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}};
  json["model"].erase("type");  // as old files are
  json["added_tokens"].push_back({{"id", 6},
                                  {"content", "<new>"},
                                  {"single_word", false},
                                  {"lstrip", true},
                                  {"rstrip", true},
                                  {"normalized", false}});
  json["truncation"] = {{"max_length", 3}};
  json["padding"] = {{"strategy", {{"Fixed", 128}}}};
  const auto other = open_json(folder, json);
  const Tokens tokens = other->encode_pair("a \u2003<new>\u3000\n", "ab", kAll);
  CHECK(tokens.ids == Ids{2, 4, 6, 3, 4, 5, 3});
  CHECK(tokens.types == Ids{0, 0, 0, 0, 1, 1, 1});
  CHECK(tokens.spans[2] == Tokens::Span{1, 14});
  CHECK(other->vocab_size() == 7);
  CHECK(other->token(6) == "<new>");
}

TEST_CASE("Byte-level BPE merges the earliest pair first, the leftmost of equals",
          "[io][tokenizer]") {
  const TempFolder folder;
  const nlohmann::json json = roberta_json();
  const auto id = [&](const char* token) { return json["model"]["vocab"][token].get<int>(); };
  const auto t = open_json(folder, json);
  CHECK(inner(*t, "abc") == Ids{id("abc")});
  CHECK(inner(*t, "bcab") == Ids{id("bc"), id("ab")});
  CHECK(inner(*t, "aab a") == Ids{id("a"), id("ab"), id("\u0120a")});
  const Tokens pair = t->encode_pair("ab\u00e9 b", "a <mask>", kAll);
  CHECK(pair.ids ==
        Ids{0, id("ab"), id("\u00c3"), id("\u00a9"), id("\u0120"), id("b"), 2, 2, id("a"), 4, 2});
  CHECK(pair.types == Ids(11, 0));
  CHECK(pair.words == Ids{-1, 0, 0, 0, 1, 1, -1, -1, 0, 1, -1});
  CHECK(
      pair.spans ==
      Spans{
          {0, 0}, {0, 2}, {2, 4}, {2, 4}, {5, 5}, {5, 6}, {0, 0}, {0, 0}, {0, 1}, {2, 8}, {0, 0}});
}

TEST_CASE("Byte-level BPE splits as GPT-2's pattern does", "[io][tokenizer]") {
  const TempFolder folder;
  const auto t = open_json(folder, roberta_json());
  const auto words = [&](std::string_view text) {
    std::vector<int> lengths;
    const Tokens tokens = t->encode(text, kAll);
    for (std::size_t k = 1; k + 1 < tokens.ids.size(); ++k) {
      const auto word = static_cast<std::size_t>(tokens.words[k]);
      lengths.resize(word + 1);
      ++lengths[word];
    }
    return lengths;
  };
  // No merges but those of a, b, c: tokens are bytes.
  CHECK(words("it's we'll I'd") == std::vector<int>{2, 2, 3, 3, 2, 2});
  CHECK(words("x12 34!? y") == std::vector<int>{1, 2, 3, 2, 2});
  CHECK(words("x  y \n z  ") == std::vector<int>{1, 1, 2, 2, 2, 2});
  CHECK(words(" 's") == std::vector<int>{2, 1});
  CHECK(words("'x''sx'r") == std::vector<int>{1, 1, 2, 2, 1, 1});
}
