#include "tokensieve/core/nearest_word.h"

#include <catch2/catch.hpp>
#include <vector>

using tokensieve::did_you_mean;
using tokensieve::nearest_word;

TEST_CASE("The nearest word is the one with the fewest typing errors", "[core][nearest_word]") {
  const std::vector<std::string> methods{"evit", "dynamicvit", "tome", "top_k", "threshold"};

  SECTION("one letter dropped, added, replaced or swapped with its neighbour") {
    CHECK(nearest_word("evt", methods) == "evit");
    CHECK(nearest_word("toome", methods) == "tome");
    CHECK(nearest_word("top-k", methods) == "top_k");
    CHECK(nearest_word("eivt", methods) == "evit");
    CHECK(nearest_word("thershold", methods) == "threshold");
  }
  SECTION("letter case does not count") {
    CHECK(nearest_word("DynamicViT", methods) == "dynamicvit");
  }
  SECTION("a right word is its own nearest") { CHECK(nearest_word("tome", methods) == "tome"); }
  SECTION("far words have none") {
    CHECK(nearest_word("zebra", methods).empty());
    CHECK(nearest_word("threshold_of_something_else", methods).empty());
  }
}

TEST_CASE("The nearest word is at most a sixth of the length plus one away",
          "[core][nearest_word]") {
  const std::vector<std::string> candidates{"abcdef", "zip"};
  CHECK(nearest_word("abcdyz", candidates) == "abcdef");
  CHECK(nearest_word("abcxyz", candidates).empty());
  CHECK(nearest_word("zipp", candidates) == "zip");
  CHECK(nearest_word("zep", candidates) == "zip");
  CHECK(nearest_word("out", candidates).empty());
  CHECK(nearest_word("zap0", candidates).empty());
}

TEST_CASE("A swap of neighbours is one typing error, not two", "[core][nearest_word]") {
  const std::vector<std::string> candidates{"abdd", "abdc"};
  CHECK(nearest_word("abcd", candidates) == "abdd");  // both are one away: the first wins
  CHECK(nearest_word("bacd", std::vector<std::string>{"xxcd", "abcd"}) == "abcd");
}

TEST_CASE("The nearest of no words, to no word, or to an endless one is empty",
          "[core][nearest_word]") {
  CHECK(nearest_word("evit", {}).empty());
  CHECK(nearest_word("", std::vector<std::string>{"evit"}).empty());
  const std::string endless(10'000'000, 'x');
  CHECK(nearest_word(endless, std::vector<std::string>{endless}).empty());
  CHECK(nearest_word("evit", std::vector<std::string>{endless}).empty());
}

TEST_CASE("'Did you mean' is a remark to end a message with, or nothing", "[core][nearest_word]") {
  const std::vector<std::string> methods{"evit", "tome"};
  CHECK(did_you_mean("evti", methods) == " (did you mean 'evit'?)");
  CHECK(did_you_mean("something", methods).empty());
}
