#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <limits>

#include "html_text.h"
#include "sample_views.h"
#include "temp_folder.h"
#include "tokensieve/io/file.h"
#include "tokensieve/viz/html_report.h"

using namespace tokensieve;
using namespace tokensieve::drawing;

namespace {

struct Sample {
  Image image = colorful_image(32, 16);
  RetentionTrace trace = trace_from(2, {site_from(1, "kf"), site_from(2, "kf")});
  ReportEntry entry{{image, 1, 2, trace}, {}};
};

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a report needs nothing from outside", "[viz][html]") {
  const Sample sample;
  const std::string page = html_report(std::array{sample.entry, sample.entry});
  CHECK(count(page, "http:") == 0);
  CHECK(count(page, "https:") == 0);
  CHECK(count(page, "<link") == 0);
  CHECK(count(page, "@import") == 0);
  CHECK(count(page, "src=\"data:image/png;base64,") == 2);
  CHECK(count(page, "src=") == 2);
  CHECK_THAT(page, Catch::Contains("default-src 'none'"));
  CHECK(count(page, "<article>") == 2);
}

TEST_CASE("a report calls scores by their name", "[viz][html]") {
  Sample sample;
  sample.trace.sites[1].score_name = "keep probability";
  const std::string page = html_report(std::array{sample.entry});
  CHECK(count(page, "\"scoreName\":\"score\"") == 1);
  CHECK(count(page, "\"scoreName\":\"keep probability\"") == 1);
}

TEST_CASE("a report says how often tokens were drawn and shows what comes with an image",
          "[viz][html]") {
  Sample sample;
  SiteTrace& site = sample.trace.sites[0];
  site.draws.assign(site.fate.size(), 2);
  site.site.position = SitePosition::inside_attention;
  sample.entry.figures.push_back({"masked <heads>", plain_image(8, 8, {1, 2, 3})});
  const std::string page = html_report(std::array{sample.entry});
  CHECK(count(page, "\"draws\":[2,2]") == 1);
  CHECK(count(page, "\"inside\":true") == 1);
  CHECK(count(page, "src=\"data:image/png;base64,") == 2);
  CHECK(count(page, "<h3>masked &lt;heads&gt;</h3>") == 1);
}

TEST_CASE("hostile names and labels stay text", "[viz][html]") {
  const std::string hostile = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&\x01\xFF";
  Sample sample;
  sample.entry.caption.title = hostile;
  sample.entry.caption.recipe = hostile;
  sample.trace.sites[0].score_name = "</script><script>alert(3)</script>";
  sample.entry.caption.dense = RunSummary{{{hostile, 0.5}}, 1000, 1.0};
  sample.entry.caption.sieved = RunSummary{{{hostile, 0.4}}, 900, 0.9};
  const std::string harmless = html_report(std::array{Sample().entry});
  const std::string page =
      html_report(std::array{sample.entry}, {.title = hostile, .subtitle = hostile});
  CHECK(count(page, "<script") == count(harmless, "<script"));
  CHECK(count(page, "</script") == count(harmless, "</script"));
  CHECK(count(page, "<img") == count(harmless, "<img"));
  CHECK(count(page, "onerror='") == 0);
  CHECK(count(page, "\x01") == 0);
  CHECK(count(page, "\xFF") == 0);
  CHECK_THAT(page, Catch::Contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

TEST_CASE("text is escaped for elements, attributes and scripts", "[viz][html]") {
  CHECK(escape_html("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
  CHECK(escape_html("caf\xC3\xA9 \xF0\x9F\x90\x95") == "caf\xC3\xA9 \xF0\x9F\x90\x95");
  CHECK(json_string("</script>\\\"&") == "\"\\u003c/script\\u003e\\\\\\\"\\u0026\"");
}

TEST_CASE("bytes that are not UTF-8 become the replacement character", "[viz][html]") {
  const std::string sign = "\xEF\xBF\xBD";
  CHECK(escape_html("a\x80z") == "a" + sign + "z");
  CHECK(escape_html("\xC3") == sign);                                   // cut off
  CHECK(escape_html("\xC0\xBC") == sign + sign);                        // overlong '<'
  CHECK(escape_html("\xE0\x80\xBC") == sign + sign + sign);             // overlong '<' again
  CHECK(escape_html("\xED\xA0\x80") == sign + sign + sign);             // surrogate
  CHECK(escape_html("\xF4\x90\x80\x80") == sign + sign + sign + sign);  // past U+10FFFF
  CHECK(escape_html("\xF0\x80\x80\x80") == sign + sign + sign + sign);
  CHECK(escape_html("\n") == sign);
}

TEST_CASE("JSON numbers read back as the same float and never as NaN", "[viz][html]") {
  CHECK(json_number(std::numeric_limits<float>::quiet_NaN()) == "null");
  CHECK(json_number(-std::numeric_limits<float>::infinity()) == "null");
  const float value = GENERATE(0.1f, 1e-38f, 123456.78f, -3.0f);
  CHECK(std::strtof(json_number(value).c_str(), nullptr) == value);
}

TEST_CASE("base64 pads as RFC 4648 says", "[viz][html]") {
  const auto encode = [](std::string_view text) {
    return png_data_uri(std::as_bytes(std::span(text))).substr(22);
  };
  CHECK(encode("") == "");
  CHECK(encode("f") == "Zg==");
  CHECK(encode("fo") == "Zm8=");
  CHECK(encode("foobar") == "Zm9vYmFy");
  CHECK(encode("\xFF\xFE\xFD") == "//79");
}

TEST_CASE("a dense entry and a page without entries are pages", "[viz][html]") {
  Sample sample;
  sample.trace.sites.clear();
  CHECK_THAT(html_report(std::array{sample.entry}), Catch::Contains("all 2 tokens stay"));
  CHECK_THAT(html_report({}), Catch::Contains("</html>"));
}

TEST_CASE("a report is written whole or not at all", "[viz][html]") {
  const Sample sample;
  const TempFolder folder;
  write_html_report(folder / "report.html", std::array{sample.entry});
  CHECK(read_text_file(folder / "report.html", 1 << 24) == html_report(std::array{sample.entry}));
  CHECK_THROWS_AS(write_html_report(folder / "none/report.html", std::array{sample.entry}),
                  std::runtime_error);
  const RetentionTrace other = trace_from(5, {});
  const std::array torn = {ReportEntry{{sample.image, 1, 2, other}, {}}};
  CHECK_THROWS_AS(write_html_report(folder / "bad.html", torn), std::invalid_argument);
  CHECK_FALSE(std::filesystem::exists(folder / "bad.html"));
}
