#include "tokensieve/core/recipe.h"

#include <algorithm>
#include <cmath>

#include "refuses.h"
#include "registry.h"

using namespace tokensieve;

namespace {

std::string long_form(std::string_view text) { return Recipe::parse(text).str(); }

constexpr const char* kEvit =
    "score=cls_attention | select=top_k(0.7, of=present, round=ceil) | drop=gone | "
    "at=after_attention:3/6/9";

}  // namespace

TEST_CASE("a short form expands to its long form", "[core][recipe]") {
  CHECK(long_form("evit") == kEvit);
  CHECK(long_form("evit(keep=0.7, fuse)") ==
        "score=cls_attention | select=top_k(0.7, of=present, round=ceil) | drop=fuse | "
        "at=after_attention:3/6/9");
  CHECK(long_form("evit(mass=0.9, sites=4)") ==
        "score=cls_attention | select=mass(0.9) | drop=gone | at=after_attention:4");
  CHECK(long_form("evit(threshold=0.002/0.003/0.004, fuse)") ==
        "score=cls_attention | select=threshold(0.002/0.003/0.004, of=score) | drop=fuse | "
        "at=after_attention:3/6/9");
  CHECK(long_form("dynamicvit") ==
        "score=predictor | select=top_k(0.7, of=input, round=floor) | drop=gone | at=before:3/6/9");
  CHECK(long_form("dynamicvit(keep=0.9/0.8/0.7, sites=4/8/12)") ==
        "score=predictor | select=top_k(0.9/0.8/0.7, of=input, round=floor) | drop=gone | "
        "at=before:4/8/12");
  CHECK(long_form("dynamicvit(threshold=0.5, sites=3/6)") ==
        "score=predictor | select=threshold(0.5, of=score) | drop=gone | at=before:3/6");
  CHECK(long_form("random") ==
        "score=random(seed=0) | select=top_k(0.7, of=present, round=ceil) | drop=gone | "
        "at=after_attention:3/6/9");
  CHECK(long_form("random(0.5, seed=18446744073709551615, sites=1/2)") ==
        "score=random(seed=18446744073709551615) | select=top_k(0.5, of=present, round=ceil) | "
        "drop=gone | at=after_attention:1/2");
}

TEST_CASE("short forms of methods without training expand, too", "[core][recipe]") {
  CHECK(long_form("sait") ==
        "score=received_attention | select=top_k(0.46, of=input, round=floor) | drop=gone | "
        "at=before:3");
  CHECK(long_form("sait(mass=0.8, score=cls_attention, sites=4)") ==
        "score=cls_attention | select=mass(0.8) | drop=gone | at=before:4");
  CHECK(long_form("asvit") ==
        "score=weighted_cls_attention | select=threshold(0.001/0.002/0.003, of=score) | "
        "drop=gone | at=before:4/7/10");
  CHECK(long_form("asvit(keep=0.7)") ==
        "score=weighted_cls_attention | select=top_k(0.7, of=input, round=floor) | drop=gone | "
        "at=before:4/7/10");
  CHECK(long_form("tome") ==
        "reduce=tome(13, inflection=0, attention=proportional) | at=after_attention:0..");
  CHECK(long_form("tome(8/8/4, attention=plain, sites=1/2/3)") ==
        "reduce=tome(8/8/4, inflection=0, attention=plain) | at=after_attention:1/2/3");
  CHECK(long_form("ats") == "reduce=ats(1) | at=inside_attention:3..");
  CHECK(Recipe::parse("tome").density_key() == "r");
  CHECK(Recipe::parse("tome").with("r", 8) == Recipe::parse("tome(r=8)"));
}

TEST_CASE("recipes that differ in their density alone have one method name", "[core][recipe]") {
  CHECK(method_name("dense") == "dense");
  CHECK(method_name("evit") == "evit");
  CHECK(method_name("evit( keep=0.7,fuse )") == "evit(fuse)");
  CHECK(method_name("evit(fuse, keep=0.9/0.8/0.7)") == "evit(fuse)");
  CHECK(method_name("evit(mass=0.9, sites=4)") == "evit(mass, sites=4)");
  CHECK(method_name("asvit(threshold=0.004)") == "asvit");
  CHECK(method_name("asvit(keep=0.7)") == "asvit(keep)");
  CHECK(method_name("tome(r=8)") == "tome");
  CHECK(method_name("random(0.5, seed=3)") == "random(seed=3)");
  CHECK(method_name("score=random | select=top_k(0.5, of=input) | drop=gone | at=before:3/6") ==
        "score=random | select=top_k(of=input) | drop=gone | at=before:3/6");
  CHECK(method_name("reduce=tome(8, attention=plain) | at=after_attention:0..") ==
        "reduce=tome(attention=plain) | at=after_attention:0..");
  CHECK_THROWS_AS(method_name("evitt"), std::invalid_argument);
}

TEST_CASE("a recipe says its density", "[core][recipe]") {
  CHECK(Recipe().density().empty());
  CHECK(Recipe::parse("evit").density() == "0.7");
  CHECK(Recipe::parse("evit(threshold=0.002/0.003/0.004)").density() == "0.002/0.003/0.004");
  CHECK(Recipe::parse("tome(r=8)").density() == "8");
  CHECK(Recipe::parse("ats(keep=0.5)").density() == "0.5");
}

TEST_CASE("sites may be ranges, and one to the end", "[core][recipe]") {
  const auto with_sites = [](const std::string& sites) {
    return "score=random | select=top_k(0.5) | drop=gone | at=" + sites;
  };
  CHECK(Recipe::parse(with_sites("before:2..5")) == Recipe::parse(with_sites("before:2/3/4/5")));
  CHECK(Recipe::parse(with_sites("before:1/3..4, after_block:7..7")) ==
        Recipe::parse(with_sites("before:1/3/4, after_block:7")));
  const Recipe open = Recipe::parse(with_sites("before:1, after_attention:3.."));
  CHECK(open.str().ends_with("at=before:1, after_attention:3.."));
  CHECK(Recipe::parse(open.str()) == open);
  CHECK_FALSE(open == Recipe::parse(with_sites("before:1, after_attention:3")));
  CHECK(open.compile(6).all_sites().size() == 4);
  CHECK(open.compile(6).sites().back().site == Site{5, SitePosition::after_attention});
  CHECK(open.compile(4).all_sites().size() == 2);
  CHECK_REFUSES(open.compile(3), "the network has 3 blocks");
}

TEST_CASE("ToMe's numbers spread over the sites of the network", "[core][recipe]") {
  const Schedule falling = Recipe::parse("tome(r=8, inflection=-1)").compile(5);
  CHECK(falling.all_sites().size() == 5);
  CHECK(falling.sites().size() == 4);  // nothing merges in the last block
  CHECK(falling.proportional_attention());
  CHECK_FALSE(Recipe::parse("tome(attention=plain)").compile(5).proportional_attention());
  CHECK_FALSE(Recipe::parse("evit").compile(12).proportional_attention());
  CHECK(Recipe::parse("tome(r=8/4)").compile(12).sites().size() == 2);
  CHECK(Recipe::parse("tome(r=0)").compile(12).sites().empty());
  CHECK_REFUSES(Recipe::parse("tome(r=8/4/2)").compile(2), "expected at most 2 values of r, got 3");
  CHECK_REFUSES(Recipe::parse("tome(r=1.5)"), "whole numbers from 0 to 1048576, got 1.5");
  CHECK_REFUSES(Recipe::parse("tome(r=2000000)"), "got 2e+06");
  CHECK_REFUSES(Recipe::parse("tome(r=8/4/2, sites=3)"), "expected at most 1 values of r, got 3");
  CHECK(
      Recipe::parse("reduce=tome(8/8/4/4) | at=after_attention:1/3..").compile(12).sites().size() ==
      4);
  CHECK_REFUSES(Recipe::parse("tome(sites=3) ").with("r", -1), "got -1");
  CHECK_REFUSES(Recipe::parse("reduce=tome(8) | at=inside_attention:3.."),
                "a method that only drops rows at inside_attention:3, got tome");
  CHECK(Recipe::parse("tome").compile(12).has_fixed_counts());
  CHECK(Recipe::parse("evit").compile(12).has_fixed_counts());
  CHECK_FALSE(Recipe::parse("ats").compile(12).has_fixed_counts());
  CHECK_FALSE(Recipe::parse("sait(mass=0.8)").compile(12).has_fixed_counts());
  CHECK_REFUSES(Recipe::parse("tome(r=8/4, inflection=1)"), "one inflection, and one r with it");
  CHECK_REFUSES(Recipe::parse("tome(r=8, inflection=2)"), "an inflection in [-1, 1]");
}

TEST_CASE("dense is the recipe without sites", "[core][recipe]") {
  CHECK(Recipe::parse("dense") == Recipe());
  CHECK(Recipe().is_dense());
  CHECK(Recipe().str() == "dense");
  CHECK(Recipe().density_key().empty());
  CHECK(Recipe().compile(12).sites().empty());
  CHECK_FALSE(Recipe::parse("evit").is_dense());
}

TEST_CASE("spaces, part order, defaults and spelling of numbers do not matter", "[core][recipe]") {
  const char* text = GENERATE(
      "evit( keep = 0.70 )", " evit ", "evit()", "evit(0.7)", "evit(keep=7e-1,sites=3/6/9)",
      "score=cls_attention|select=top_k(0.7)|drop=gone|at=after_attention:3/6/9",
      "at=after_attention:3/6,after_attention:9 | drop=gone() | select=top_k(round=ceil,keep=.7) "
      "| score=cls_attention");
  CHECK(Recipe::parse(text) == Recipe::parse(kEvit));
}

TEST_CASE("sites may lie at several positions", "[core][recipe]") {
  const std::string text =
      "score=received_attention | select=threshold(1.5, of=mean) | drop=gone | at=before:3, "
      "inside_attention:4, after_attention:6/9, after_block:9";
  CHECK(long_form(text) == text);
}

TEST_CASE("every recipe reads back from its long form", "[core][recipe]") {
  const std::string score =
      GENERATE("cls_attention", "received_attention", "predictor", "random(seed=3)");
  const std::string select =
      GENERATE("top_k(1)", "top_k(0.1/0.30000000000000004/1e-12)",
               "top_k(0.7, of=input, round=floor)", "threshold(0)", "threshold(-1e+30)",
               "threshold(0.001/2/-3, of=mean)", "mass(0.9)", "mass(0.3333333333333333/1/1e-300)");
  const std::string drop = GENERATE("gone", "fuse");
  const std::string at = GENERATE("after_attention:3/6/9", "before:1/2, after_block:2",
                                  "before:3, after_attention:3/11");
  const Recipe recipe =
      Recipe::parse(cat("score=", score, "|select=", select, "|drop=", drop, "|at=", at));
  CHECK(Recipe::parse(recipe.str()) == recipe);
  CHECK(Recipe::parse(recipe.str()).str() == recipe.str());
  CHECK(recipe.str().find(score) != std::string::npos);
  CHECK(recipe.str().find(at) != std::string::npos);
}

TEST_CASE("recipes that differ in one number are different", "[core][recipe]") {
  CHECK(Recipe::parse("evit(keep=0.7)") != Recipe::parse("evit(keep=0.7000000000000001)"));
  CHECK(Recipe::parse("random(seed=1)") != Recipe::parse("random(seed=2)"));
  CHECK(Recipe::parse("evit") != Recipe::parse("evit(fuse)"));
  CHECK(Recipe::parse("evit") != Recipe::parse("evit(sites=3/6/10)"));
}

TEST_CASE("with changes the density and nothing else", "[core][recipe]") {
  CHECK(Recipe::parse("evit(fuse)").with("keep", 0.5) == Recipe::parse("evit(keep=0.5, fuse)"));
  CHECK(Recipe::parse("evit(keep=0.9/0.8/0.7)").with("keep", 0.5) ==
        Recipe::parse("evit(keep=0.5)"));
  CHECK(Recipe::parse("evit(mass=0.5)").with("mass", 1.0) == Recipe::parse("evit(mass=1)"));
  CHECK(Recipe::parse("evit(threshold=0.5)").with("threshold", -2) ==
        Recipe::parse("evit(threshold=-2)"));
  CHECK(Recipe::parse("asvit(threshold=0.01/0.02/0.04)").with("threshold", 0.02) ==
        Recipe::parse("asvit(threshold=0.005/0.01/0.02)"));  // learned for their sites
  CHECK_REFUSES(Recipe::parse("asvit(threshold=0.1/0.1/0)").with("threshold", 0.2),
                "whose last one can be scaled");
  CHECK(Recipe::parse("dynamicvit").with("keep", 0.5) == Recipe::parse("dynamicvit(keep=0.5)"));
  CHECK(Recipe::parse("dynamicvit(threshold=0.5)").with("threshold", 0.3) ==
        Recipe::parse("dynamicvit(threshold=0.3)"));
  CHECK(Recipe::parse("evit").density_key() == "keep");
  CHECK(Recipe::parse("evit(mass=0.5)").density_key() == "mass");
  CHECK(Recipe::parse("evit(threshold=0.5)").density_key() == "threshold");
}

TEST_CASE("with refuses a density the recipe does not have, and names its own", "[core][recipe]") {
  CHECK_REFUSES(Recipe().with("keep", 0.5),
                "expected a recipe with a density to set keep, got 'dense'");
  CHECK_REFUSES(Recipe::parse("evit(mass=0.5)").with("keep", 0.5), "expected mass, the density of");
  CHECK_REFUSES(Recipe::parse("evit").with("keep", 1.5), "expected keep in (0, 1], got 1.5");
  CHECK_REFUSES(Recipe::parse("evit").with("keep", 0.0), "got 0");
  CHECK_REFUSES(Recipe::parse("evit").with("keep", std::nan("")),
                "expected a finite keep, got nan");
  CHECK_REFUSES(Recipe::parse("evit(threshold=1)").with("threshold", INFINITY),
                "expected a finite threshold, got inf");
}

TEST_CASE("compile puts one reducer at every site", "[core][recipe]") {
  const Schedule schedule = Recipe::parse("evit(keep=0.9/1/0.8, fuse)").compile(12);
  REQUIRE(schedule.sites().size() == 2);
  CHECK(schedule.sites()[0].site == Site{3, SitePosition::after_attention});
  CHECK(schedule.sites()[1].site == Site{9, SitePosition::after_attention});
  CHECK(schedule.sites()[1].index == 2);
  CHECK(schedule.attention_request(3) == AttentionRequest::class_row);
}

TEST_CASE("a recipe that keeps everything compiles to the dense network", "[core][recipe]") {
  const char* text = GENERATE("evit(keep=1)", "evit(keep=1, fuse)", "evit(mass=1)",
                              "random(keep=1)", "evit(keep=1/1/1)", "dynamicvit(keep=1)");
  CHECK(Recipe::parse(text).compile(12).sites().empty());
  CHECK_FALSE(Recipe::parse(text).is_dense());
}

TEST_CASE("compile refuses sites that are not in the network", "[core][recipe]") {
  CHECK_REFUSES(Recipe::parse("evit").compile(9),
                "expected sites in blocks 0 to 8, got after_attention:9");
  CHECK_REFUSES(
      Recipe::parse("score=cls_attention|select=mass(1)|drop=gone|at=before:0").compile(12),
      "use after_attention:0");
}

TEST_CASE("recipe words of each part are known", "[core][recipe]") {
  const auto has = [](std::string_view part, const char* word) {
    const std::vector<std::string> words = recipe_words(part);
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  CHECK(has("method", "dense"));
  CHECK(has("method", "evit"));
  CHECK(has("method", "random"));
  CHECK(has("score", "cls_attention"));
  CHECK(has("select", "top_k"));
  CHECK(has("drop", "fuse"));
  CHECK(has("at", "after_attention"));
  CHECK_NOTHROW(recipe_words("reduce"));
  CHECK_REFUSES(recipe_words("scores"), "(did you mean 'score'?)");
}

namespace {

/// A reducer that is no triple: keeps every `stride`-th row.
class StrideReducer final : public Reducer {
 public:
  explicit StrideReducer(double stride) : stride_(stride) {}
  AttentionRequest attention_request() const override { return AttentionRequest::mean_key; }
  bool keeps_everything(int) const override { return stride_ == 1.0; }
  Reduction reduce(const SiteInput&) const override { return {}; }

 private:
  double stride_;
};

/// Knows the word "stride" while it lives.
struct StrideWord {
  StrideWord() {
    registry().reduce.push_back(
        {"stride", {rate("stride")}, [](const Arguments& given) -> std::unique_ptr<Reducer> {
           return std::make_unique<StrideReducer>(given.numbers("stride").front());
         }});
  }
  ~StrideWord() { registry().reduce.pop_back(); }
};

}  // namespace

TEST_CASE("a method that is no triple is one registered word", "[core][recipe]") {
  const StrideWord known;
  const Recipe recipe = Recipe::parse("reduce=stride(2) | at=before:1/2");
  CHECK(recipe.str() == "reduce=stride(2) | at=before:1/2");
  CHECK(Recipe::parse(recipe.str()) == recipe);
  CHECK(recipe.density_key() == "stride");
  CHECK(recipe.compile(4).sites().size() == 2);
  CHECK(recipe.compile(4).attention_request(0) == AttentionRequest::mean_key);
  CHECK(recipe.with("stride", 1).compile(4).sites().empty());
  CHECK(recipe_words("reduce") == std::vector<std::string>{"tome", "ats", "stride"});
  CHECK_REFUSES(Recipe::parse("reduce=stribe(2) | at=before:1"), "(did you mean 'stride'?)");
  CHECK_REFUSES(Recipe::parse("reduce=stride(2) | drop=gone | at=before:1"),
                "expected reduce= or score=, select= and drop=, got both");
}
