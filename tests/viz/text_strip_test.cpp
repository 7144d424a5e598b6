#include <algorithm>
#include <catch2/catch.hpp>

#include "sample_views.h"
#include "temp_folder.h"
#include "tokensieve/io/file.h"
#include "tokensieve/viz/text_strip.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

/// "an unwatchable, sad film" as [CLS] an un ##watch ##able , sad film [SEP], under sites at blocks
/// 1 and 4: "an" and a piece of the long word leave at 1, the comma and another piece at 4.
struct Sample {
  std::string text = "an unwatchable, sad film";
  Tokens tokens;
  RetentionTrace trace;

  Sample() {
    tokens.ids = {101, 2019, 4895, 18866, 3085, 1010, 6517, 2143, 102};
    tokens.types.assign(9, 0);
    tokens.spans = {{0, 0},   {0, 2},   {3, 5},   {5, 10}, {10, 14},
                    {14, 15}, {16, 19}, {20, 24}, {0, 0}};
    tokens.words = {-1, 0, 1, 1, 1, 2, 3, 4, -1};
    trace.num_tokens = 8;
    trace.num_prefix_tokens = 1;
    trace.sites = {site_from(1, "dkdkkkkk"), site_from(4, "dddkdkkd")};
  }

  TextView view() const { return {text, tokens, trace, 6}; }
  TextView view(int exit) {
    trace.exit_layer = exit;
    return view();
  }
};

}  // namespace

TEST_CASE("A word stays as long as one of its pieces does", "[viz][text_strip]") {
  const Sample sample;
  const std::vector<WordFate> words = word_fates(sample.view());
  CHECK(words ==
        std::vector<WordFate>{{0, 2, 1}, {3, 14, -1}, {14, 15, 4}, {16, 19, -1}, {20, 24, -1}});
  Sample all_gone;
  all_gone.trace.sites.push_back(site_from(5, "dddddkdd"));
  const std::vector<WordFate> later = word_fates(all_gone.view());
  CHECK(later[1].dropped_at == 5);  // its last piece's block
  CHECK(later[3].dropped_at == -1);
  CHECK(later[4].dropped_at == 5);
}

TEST_CASE("A terminal without colours gets the block as a subscript", "[viz][text_strip]") {
  Sample sample;
  CHECK(terminal_strip(sample.view(), false) ==
        "an\u2081 unwatchable,\u2084 sad film\n"
        "block 1: 1 word\u2081, block 4: 1 word\u2084, stayed: 3 words\n");
  CHECK_THAT(terminal_strip(sample.view(3), false), Contains("answered after block 3 of 6"));
}

TEST_CASE("A terminal with colours gets what stayed in bold", "[viz][text_strip]") {
  const Sample sample;
  const std::string strip = terminal_strip(sample.view(), true);
  CHECK_THAT(strip, Contains("\x1b[1munwatchable\x1b[0m"));
  CHECK_THAT(strip, Contains("\x1b[38;5;") && Contains("an\u2081\x1b[0m"));
}

TEST_CASE("A text cannot drive the terminal or the page", "[viz][text_strip]") {
  Sample sample;
  sample.text = "a\x1b[2J\x9b \xC2\x9B <b>&'\n";
  sample.tokens.ids = {101, 1, 102};
  sample.tokens.spans = {{0, 0}, {0, 5}, {0, 0}};
  sample.tokens.words = {-1, 0, -1};
  sample.trace.num_tokens = 2;
  sample.trace.sites = {site_from(1, "kk")};
  const std::string strip = terminal_strip(sample.view(), false);
  CHECK_THAT(strip, !Contains("\x1b") && !Contains("\xC2\x9B"));
  CHECK_THAT(strip, Contains("a\uFFFD[2J"));
  CHECK_THAT(strip, Contains("[not read:\uFFFD \uFFFD <b>&']\n"));
  const std::string page = text_html_report({{{sample.view(), {}}}});
  CHECK_THAT(page, Contains("&lt;b&gt;&amp;&#39;</s><br>") && !Contains("\x1b"));
}

TEST_CASE("A page has every word once, with its block", "[viz][text_strip]") {
  Sample sample;
  RetentionCaption caption;
  caption.title = "<review>";
  caption.recipe = "ltp";
  const std::vector<TextReportEntry> entries = {{sample.view(2), caption}};
  const std::string page = text_html_report(entries, {.title = "What was read"});
  CHECK_THAT(page, Contains("<b>unwatchable</b>") && Contains("data-block=\"4\""));
  CHECK_THAT(page, Contains("title=\"left at block 1\"") && Contains(">an</i>"));
  CHECK_THAT(page, Contains("data-blocks=\"1,4\"") && Contains("answered after block 2 of 6"));
  CHECK_THAT(page, Contains("&lt;review&gt;") && !Contains("<review>"));

  const TempFolder folder;
  write_text_html_report(folder / "page.html", entries, {.title = "What was read"});
  CHECK(read_text_file(folder / "page.html", 1 << 20) == page);
}

TEST_CASE("The picture grows with the text and shows where words left", "[viz][text_strip]") {
  Sample sample;
  const Image few = draw_text_strip(sample.view());
  CHECK(few.width == 900);
  const Image narrow = draw_text_strip(sample.view(), {}, {.width = 200});
  CHECK(narrow.width == 200);
  CHECK(narrow.height > few.height);  // lines break
  // The words that left are underlined in colours, those that stayed have none.
  Sample dense;
  dense.trace.sites.clear();
  const auto colourful = [](const Image& image) {
    int pixels = 0;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
      const auto [least, most] =
          std::minmax({image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]});
      pixels += most - least > 60;
    }
    return pixels;
  };
  CHECK(colourful(few) > 50);
  CHECK(colourful(draw_text_strip(dense.view())) == 0);
}

TEST_CASE("An empty text is a legend", "[viz][text_strip]") {
  Sample sample;
  sample.text.clear();
  sample.tokens.ids = {101, 102};
  sample.tokens.spans = {{0, 0}, {0, 0}};
  sample.tokens.words = {-1, -1};
  sample.trace.num_tokens = 1;
  sample.trace.sites.clear();
  CHECK(terminal_strip(sample.view(), false) == "\nstayed: 0 words\n");
  CHECK(draw_text_strip(sample.view()).width == 900);
}

TEST_CASE("A pair is two lines, each with its words", "[viz][text_strip]") {
  // "so cold", cut off after "so", and "it is": [CLS] so [SEP] it is [SEP], or with two [SEP].
  const int separators = GENERATE(1, 2);
  Tokens tokens;
  const auto add = [&](int word, uint32_t begin, uint32_t end) {
    tokens.ids.push_back(5);
    tokens.types.push_back(0);
    tokens.words.push_back(word);
    tokens.spans.push_back({begin, end});
  };
  add(-1, 0, 0);
  add(0, 0, 2);
  for (int i = 0; i < separators; ++i) add(-1, 0, 0);
  add(0, 0, 2);
  add(1, 3, 5);
  add(-1, 0, 0);
  const ShownText pair = shown_text({"so cold", "it is"}, tokens);
  CHECK(pair.text == "so cold\nit is");
  RetentionTrace trace;
  trace.num_prefix_tokens = 1;
  trace.num_tokens = static_cast<int>(tokens.ids.size()) - 1;
  trace.sites = {site_from(2, separators == 1 ? "dkkdk" : "dkkkdk")};
  const TextView view{pair.text, pair.tokens, trace, 6};
  CHECK(word_fates(view) == std::vector<WordFate>{{0, 2, 2}, {8, 10, -1}, {11, 13, 2}});
  CHECK_THAT(terminal_strip(view, false), Contains("so\u2082 [not read: cold]\nit is\u2082\n"));
}

TEST_CASE("A pair may be of empty texts, and its spans must be of them", "[viz][text_strip]") {
  Tokens tokens;  // [CLS] [SEP] it [SEP]
  tokens.ids = {1, 2, 5, 2};
  tokens.types = {0, 0, 1, 1};
  tokens.words = {-1, -1, 0, -1};
  tokens.spans = {{0, 0}, {0, 0}, {0, 2}, {0, 0}};
  const ShownText pair = shown_text({"", "it"}, tokens);
  CHECK(pair.text == "\nit");
  CHECK(pair.tokens.spans[2] == Tokens::Span{1, 3});
  CHECK_THROWS_WITH(shown_text({"it", ""}, tokens),
                    Contains("[shown_text]") && Contains("token 2 in a text of 0 bytes"));
  tokens.words.pop_back();
  CHECK_THROWS_WITH(shown_text({"", "it"}, tokens), Contains("a span and a word for each of 4"));
}

TEST_CASE("What does not fit together is refused", "[viz][text_strip]") {
  Sample short_trace;
  short_trace.trace.num_tokens = 7;
  CHECK_THROWS_WITH(word_fates(short_trace.view()), Contains("expected a trace of 9 tokens"));
  Sample no_words;
  no_words.tokens.words.pop_back();
  CHECK_THROWS_WITH(terminal_strip(no_words.view(), false), Contains("a word for each of 9"));
  Sample outside;
  outside.tokens.spans[7].end = 25;
  CHECK_THROWS_WITH(text_html_report({{{outside.view(), {}}}}), Contains("of a text of 24 bytes"));
  Sample backwards;
  backwards.tokens.spans[6] = {0, 3};
  CHECK_THROWS_WITH(word_fates(backwards.view()), Contains("after byte 15"));
  Sample sample;
  CHECK_THROWS_WITH(word_fates(sample.view(6)), Contains("one of 6 blocks"));
  sample.trace.exit_layer = -1;
  CHECK_THROWS_WITH(draw_text_strip(sample.view(), {}, {.width = 100}), Contains("a width from"));
  Sample endless;
  endless.text.append(20'001, ' ');
  CHECK_THROWS_WITH(draw_text_strip(endless.view()), Contains("at most 20000 bytes"));
  CHECK_THROWS_AS(write_text_html_report("/nowhere/page.html", {}), std::runtime_error);
}
