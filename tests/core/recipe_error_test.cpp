#include <string>

#include "refuses.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/recipe.h"

using namespace tokensieve;

namespace {

/// A long form with one part replaced.
std::string with_select(const std::string& call) {
  return cat("score=cls_attention | select=", call, " | drop=gone | at=after_attention:3/6/9");
}
std::string with_sites(const std::string& sites) {
  return cat("score=random | select=top_k(0.5) | drop=gone | at=", sites);
}

}  // namespace

TEST_CASE("an unknown word gets the nearest right one", "[core][recipe]") {
  const auto [text, message] = GENERATE(table<const char*, const char*>({
      {"evti(keep=0.7)",
       "expected a method of dense, evit, dynamicvit, sait, asvit, tome, ats, ltp, top, "
       "adapler, pabee, magic_pyramid, random, got 'evti' "
       "(did you mean 'evit'?)"},
      {"DENSE", "(did you mean 'dense'?)"},
      {"evit(kepe=0.7)", "in evit(...), got 'kepe' (did you mean 'keep'?)"},
      {"evit(fuze)", "got 'fuze' (did you mean 'fuse'?)"},
      {"scor=cls_attention", "got 'scor=' (did you mean 'score'?)"},
      {"score=cls_atention|select=mass(1)|drop=gone|at=before:1",
       "(did you mean 'cls_attention'?)"},
      {"score=random|select=topk(1)|drop=gone|at=before:1", "(did you mean 'top_k'?)"},
      {"score=random|select=mass(1)|drop=gnoe|at=before:1", "(did you mean 'gone'?)"},
      {"score=random|select=mass(1)|drop=gone|at=befor:1", "(did you mean 'before'?)"},
      {"score=random(sead=1)|select=mass(1)|drop=gone|at=before:1", "(did you mean 'seed'?)"},
      {"score=random|select=top_k(1, of=presnt)|drop=gone|at=before:1",
       "expected of in top_k(...) to be one of present, input, got 'presnt' (did you mean "
       "'present'?)"},
      {"score=random|select=top_k(1, round=cel)|drop=gone|at=before:1", "(did you mean 'ceil'?)"},
      {"reduce=tomy(r=13)|at=before:1",
       "expected a reduce of tome, ats, got 'tomy' (did you mean 'tome'?)"},
  }));
  CHECK_REFUSES(Recipe::parse(text), message);
}

TEST_CASE("a number must be a number", "[core][recipe]") {
  const std::string wrong = GENERATE("nan", "inf", "-inf", "0.7x", "0,7", "0x1p-1", "0.7/", "/0.7",
                                     "0.9//0.7", "--1", "1e999", "+0.7", "1e", ".");
  CHECK_THROWS_AS(Recipe::parse("evit(keep=" + wrong + ")"), std::invalid_argument);
  CHECK_THROWS_AS(Recipe::parse(with_select("threshold(threshold=" + wrong + ")")),
                  std::invalid_argument);
}

TEST_CASE("messages name the number and what it is for", "[core][recipe]") {
  CHECK_REFUSES(Recipe::parse("evit(keep=0.7x)"),
                "expected keep in evit(...) to be a number such as 0.7, or a list such as "
                "0.9/0.8/0.7, got '0.7x'");
  CHECK_REFUSES(Recipe::parse("evit(keep=nan)"), "a list such as 0.9/0.8/0.7, got 'nan'");
  CHECK_REFUSES(Recipe::parse("evit(threshold=inf)"), "a list such as 0.9/0.8/0.7, got 'inf'");
  CHECK_REFUSES(Recipe::parse("evit(keep=1.3)"), "[top_k] expected keep in (0, 1], got 1.3");
  CHECK_REFUSES(Recipe::parse("evit(keep=0)"), "expected keep in (0, 1], got 0");
  CHECK_REFUSES(Recipe::parse("evit(mass=1.1)"), "[mass] expected mass in (0, 1], got 1.1");
  CHECK_REFUSES(Recipe::parse("evit(threshold=1e39)"), "to be a finite float32");
  CHECK_REFUSES(Recipe::parse("random(seed=-1)"),
                "expected seed in random(...) to be a whole number");
  CHECK_REFUSES(Recipe::parse("random(seed=1.5)"), "got '1.5'");
  CHECK_REFUSES(Recipe::parse("random(seed=18446744073709551616)"), "got '18446744073709551616'");
}

TEST_CASE("a list has one number for each site", "[core][recipe]") {
  CHECK_REFUSES(Recipe::parse("evit(keep=0.9/0.8)"),
                "expected one keep, or one for each of 3 sites, got 2");
  CHECK_REFUSES(Recipe::parse("evit(keep=0.9/0.8/0.7/0.6)"), "got 4");
  CHECK_REFUSES(Recipe::parse(with_select("mass(0.5/0.5)")), "expected one mass");
  CHECK_NOTHROW(Recipe::parse("evit(keep=0.9/0.8/0.7)"));
  CHECK_REFUSES(Recipe::parse("evit(keep=0.9/0.8, sites=3..)"),
                "expected one keep for at=after_attention:3.., got 2");
}

TEST_CASE("an argument is given once", "[core][recipe]") {
  CHECK_REFUSES(Recipe::parse("evit(keep=0.7, keep=0.7)"),
                "expected keep once in evit(...), got it twice");
  CHECK_REFUSES(Recipe::parse("evit(0.7, keep=0.6)"), "expected keep once");
  CHECK_REFUSES(Recipe::parse("evit(fuse, fuse)"), "expected fuse once");
  CHECK_REFUSES(Recipe::parse("evit(keep=0.7, mass=0.7)"),
                "expected only one of keep, threshold, mass in evit(...), got keep and mass");
  CHECK_REFUSES(Recipe::parse("dynamicvit(keep=0.7, threshold=0.5)"),
                "expected only one of keep, threshold in dynamicvit(...), got keep and threshold");
  CHECK_REFUSES(Recipe::parse("sait(keep=0.5, mass=0.7)"), "only one of keep, mass in sait(...)");
  CHECK_REFUSES(Recipe::parse("asvit(keep=0.5, threshold=0.7)"),
                "only one of threshold, keep in asvit(...)");
  CHECK_REFUSES(Recipe::parse("dynamicvit(mass=0.7)"),
                "expected keep, threshold, sites in dynamicvit");
}

TEST_CASE("an argument has a value if it takes one", "[core][recipe]") {
  CHECK_REFUSES(Recipe::parse("evit(fuse=1)"),
                "expected fuse without a value in evit(...), got 'fuse=1'");
  CHECK_REFUSES(Recipe::parse("evit(keep)"), "expected keep=... in evit(...), got 'keep'");
  CHECK_REFUSES(Recipe::parse("evit(keep=)"), "expected a value after 'evit(keep=', got ')'");
  CHECK_REFUSES(Recipe::parse("dense(0.5)"), "expected no argument in dense(...), got '0.5'");
  CHECK_REFUSES(Recipe::parse(with_select("top_k")), "expected keep in top_k(...), got none");
  CHECK_REFUSES(Recipe::parse(with_select("mass()")), "expected mass in mass(...), got none");
}

TEST_CASE("the long form has all its parts once", "[core][recipe]") {
  const auto [text, message] = GENERATE(table<const char*, const char*>({
      {"select=mass(1)|drop=gone|at=before:1",
       "expected score=..., got none; one of cls_attention"},
      {"score=random|drop=gone|at=before:1", "expected select=..., got none; one of top_k"},
      {"score=random|select=mass(1)|at=before:1", "expected drop=..., got none; one of gone, fuse"},
      {"score=random|select=mass(1)|drop=gone", "expected at=..., got none; for example at="},
      {"score=random|score=random|at=before:1", "expected score= once, got it twice"},
      {"at=before:1|at=before:2", "expected at= once, got it twice"},
  }));
  CHECK_REFUSES(Recipe::parse(text), message);
}

TEST_CASE("sites are blocks in order of execution", "[core][recipe]") {
  const auto [sites, message] = GENERATE(table<const char*, const char*>({
      {"before:6/3",
       "expected each site once and in order of execution, got before:3 after before:6"},
      {"before:3/3", "got before:3 after before:3"},
      {"after_attention:3, before:3", "got before:3 after after_attention:3"},
      {"before:x", "expected the block of a site to be a whole number"},
      {"before:-1", "got '-1'"},
      {"before:2147483647", "expected a block number, got 2147483647"},
      {"before:99999999999999999999", "got '99999999999999999999'"},
      {"before:3//6", "got ''"},
      {"before:5..3", "expected blocks from a lower to a higher number"},
      {"before:0..4000", "at most 1024 sites, got more"},
      {"before:0..1000/1001..2000", "at most 1024 sites, got more"},
      {"before:..", "got ''"},
      {"before:1..x", "got 'x'"},
      {"before:3../5", "got before:5 after before:3.."},
      {"before:3.., before:4", "got before:4 after before:3.."},
      {"before:", "expected block numbers such as 3/6/9"},
      {"before", "expected ':'"},
      {"before:3,", "expected a position"},
  }));
  CHECK_REFUSES(Recipe::parse(with_sites(sites)), message);
}

TEST_CASE("rows cannot be fused inside attention", "[core][recipe]") {
  CHECK_REFUSES(
      Recipe::parse("score=random|select=mass(1)|drop=fuse|at=before:1, inside_attention:2"),
      "expected drop=gone at inside_attention:2, got drop=fuse; it works at after_attention");
  CHECK_NOTHROW(Recipe::parse("score=random|select=mass(1)|drop=gone|at=inside_attention:2"));
}

TEST_CASE("broken grammar says what was expected where", "[core][recipe]") {
  const auto [text, message] = GENERATE(table<const char*, const char*>({
      {"", "expected a method such as evit(keep=0.7), or score=..., got the end"},
      {"   ", "got the end"},
      {"(", "got '('"},
      {"evit(", "expected an argument after 'evit(', got the end"},
      {"evit(keep=0.7", "expected ')' after 'evit(keep=0.7', got the end"},
      {"evit(keep=0.7))", "expected the end after 'evit(keep=0.7)', got ')'"},
      {"evit(keep=0.7,)", "expected an argument"},
      {"evit(keep=0.7;)", "expected ')'"},
      {"evit evit", "expected the end after 'evit ', got 'evit'"},
      {"evit | at=before:1", "expected the end"},
      {"score=", "expected a name after 'score='"},
      {"score=random |", "expected a part such as select=..."},
      {"score=random | select", "expected '='"},
      {"score=random, select=mass(1)", "expected the end"},
      {"evit(keep=0.7)\n", "expected printable ASCII, got byte 10 at position 14"},
      {"\xc3\xa9vit", "expected printable ASCII, got byte 195 at position 0"},
  }));
  CHECK_REFUSES(Recipe::parse(text), message);
}

TEST_CASE("a very long recipe is refused, and so is one that gets too long", "[core][recipe]") {
  CHECK_REFUSES(Recipe::parse(std::string(4097, ' ')),
                "expected at most 4096 characters, got 4097");
  CHECK_REFUSES(Recipe::parse(std::string(1 << 20, '(')), "got 1048576");
  std::string sites = "before:0", numbers = "1e5";
  for (int layer = 1; layer < 450; ++layer) {
    sites += "/" + std::to_string(layer);
    numbers += "/1e5";  // printed as 1e+05
  }
  const std::string text = cat("score=random|select=threshold(", numbers, ")|drop=gone|at=", sites);
  REQUIRE(text.size() < 4096);
  CHECK_REFUSES(Recipe::parse(text), "expected at most 4096 characters in the long form, got ");
}

TEST_CASE("any text parses or is refused as the caller's mistake", "[core][recipe]") {
  // A cheap fuzzer: recipes with a few bytes overwritten, doubled or cut out.
  const std::string seed = with_select("top_k(0.9/0.8/0.7, of=input, round=floor)");
  const std::string signs = "=|(),:/.0 ae_-";
  uint32_t state = 1;
  const auto next = [&state](size_t count) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % count;
  };
  for (int round = 0; round < 3000; ++round) {
    std::string text = seed;
    for (size_t edits = 1 + next(4); edits > 0; --edits) {
      const size_t at = next(text.size());
      if (next(3) == 0)
        text.erase(at, 1 + next(5));
      else if (next(2) == 0)
        text[at] = signs[next(signs.size())];
      else
        text.insert(at, text.substr(at, 1 + next(9)));
    }
    try {
      const Recipe recipe = Recipe::parse(text);
      REQUIRE(Recipe::parse(recipe.str()) == recipe);
    } catch (const std::invalid_argument& error) {
      REQUIRE(std::string(error.what()).front() == '[');
    }
  }
}
