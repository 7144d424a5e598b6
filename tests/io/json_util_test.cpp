#include "json_util.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "tokensieve/core/printable.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

std::string nested(int levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string json_error(std::string_view text) {
  try {
    parse_json(text, "folder/config.json");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("JSON is parsed into values of every kind", "[io][json]") {
  const auto value =
      parse_json(R"( {"a": [1, -2, 0.5, "\u00e9", null, true], "b": {"a": {}}} )", "x");
  CHECK(value["a"][0].get<int>() == 1);
  CHECK(value["a"][1].get<int>() == -2);
  CHECK(value["a"][2].get<double>() == 0.5);
  CHECK(value["a"][3].get<std::string>() == "\xC3\xA9");
  CHECK(value["a"][4].is_null());
  CHECK(value["a"][5].get<bool>());
  CHECK(value["b"]["a"].empty());
  CHECK(parse_json("7", "x").get<int>() == 7);
}

TEST_CASE("One key may be in two objects but not in one twice", "[io][json]") {
  CHECK(json_error(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]})") == "no error");
  CHECK_THAT(json_error(R"({"a": 1, "b": {"c": 1}, "a": 2})"),
             Contains("config.json: key 'a' comes twice, again at byte 27"));
  CHECK_THAT(json_error(R"({"b": [{"c": 1, "\u0063": 2}]})"), Contains("key 'c' comes twice"));
}

TEST_CASE("JSON deeper than 64 levels is refused at the bracket that is too deep", "[io][json]") {
  CHECK(json_error(nested(64)) == "no error");
  CHECK_THAT(json_error(nested(65)), Contains("at most 64 levels") && Contains("at byte 65"));
  std::string objects;
  for (int i = 0; i < 100; ++i) objects += R"({"a":)";
  CHECK_THAT(json_error(objects), Contains("at most 64 levels"));
  CHECK_THAT(json_error(nested(5'000'000)), Contains("at most 64 levels"));
}

TEST_CASE("JSON text over the size cap is refused unread", "[io][json]") {
  CHECK_THAT(json_error(std::string(kMaxJsonBytes + 1, ' ')),
             Contains("config.json: expected at most") && Contains("got 33554433"));
}

TEST_CASE("What is not JSON is refused with the file and the position", "[io][json]") {
  const char* text = GENERATE("", "{", "{]", "[1,]", "{\"a\":1,}", "{'a':1}", "[NaN]", "[1] x",
                              "// c\n1", "\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\n\"",
                              "\"\\x\"", "\"\\ud800\"", "01", "1e999", "\"open");
  CAPTURE(text);
  const std::string message = json_error(text);
  CHECK_THAT(message, Contains("[json] folder/config.json: "));
  // A number out of range is the one fault that the parser does not place.
  if (std::string(text) != "1e999")
    CHECK_THAT(message, Contains("at line 1, column") || Contains("at line 2, column"));
}

TEST_CASE("A zero byte does not end the text unseen", "[io][json]") {
  CHECK_THAT(json_error(std::string_view("{}\0garbage", 10)), Contains("zero byte at byte 2"));
}

TEST_CASE("An error message stays short and printable whatever the text", "[io][json]") {
  const std::string message = json_error("{\"a\": \x1B[31m" + std::string(1'000'000, 'x'));
  CHECK(message.size() < 400);
  CHECK(message.find('\x1B') == std::string::npos);
  CHECK(json_error("\"" + std::string(1'000'000, 'x')).size() < 400);
}

TEST_CASE("Printable text keeps UTF-8, spells out control bytes and cuts what is long", "[io]") {
  CHECK(printable("größe") == "größe");
  CHECK(printable(std::string_view("a\x1B\n\0\x7F", 5)) == "a\\x1b\\x0a\\x00\\x7f");
  CHECK(printable("a\xC2\x9B\xC2\xA0") == "a\\xc2\\x9b\xC2\xA0");  // a C1 control, a space
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("abc", 3) == "abc");
}
