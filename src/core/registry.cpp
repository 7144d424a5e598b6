#include "registry.h"

namespace tokensieve {
namespace {

using Kind = Parameter::Kind;

TopKOptions top_k_options(const Arguments& arguments) {
  TopKOptions options;
  if (arguments.text("of") == "input") options.of = TopKOptions::Of::input;
  if (arguments.text("round") == "floor") options.round = TopKOptions::Round::floor;
  return options;
}

ThresholdOf threshold_of(const Arguments& arguments) {
  return arguments.text("of") == "mean" ? ThresholdOf::mean : ThresholdOf::score;
}

std::string expand_dense(const Arguments&) { return ""; }

/// Of the densities `keys` of a short form the one that is given, "" when none is.
std::string given_density(const Arguments& arguments, std::string_view method,
                          const std::vector<std::string>& keys) {
  std::string given;
  for (const std::string& key : keys) {
    if (!arguments.has(key)) continue;
    check_argument(given.empty(), "[recipe] expected only one of ", joined(keys), " in ", method,
                   "(...), got ", given, " and ", key);
    given = key;
  }
  return given;
}

/// EViT's selection, with a threshold or a mass in place of its keep rate if there is one.
std::string expand_evit(const Arguments& arguments) {
  const std::string density = given_density(arguments, "evit", {"keep", "threshold", "mass"});
  const std::string word = density.empty() || density == "keep" ? "top_k" : density;
  return cat("score=cls_attention | select=", word, "(",
             density.empty() ? "0.7" : arguments.text(density),
             ") | drop=", arguments.has("fuse") ? "fuse" : "gone",
             " | at=after_attention:", arguments.text("sites"));
}

/// Each site keeps a share of the input's tokens, or those whose keep probability is high enough.
std::string expand_dynamicvit(const Arguments& arguments) {
  const std::string density = given_density(arguments, "dynamicvit", {"keep", "threshold"});
  const std::string select = density == "threshold"
                                 ? cat("threshold(", arguments.text(density), ")")
                                 : cat("top_k(", density.empty() ? "0.7" : arguments.text(density),
                                       ", of=input, round=floor)");
  return cat("score=predictor | select=", select,
             " | drop=gone | at=before:", arguments.text("sites"));
}

/// Drops where EViT does and as many, but any.
std::string expand_random(const Arguments& arguments) {
  return cat("score=random(seed=", arguments.text("seed"), ") | select=top_k(",
             arguments.text("keep"),
             ") | drop=gone | at=after_attention:", arguments.text("sites"));
}

Registry make_registry() {
  Registry words;
  words.score = {
      {"cls_attention", {}, [](const Arguments&) { return class_attention_scorer(); }},
      {"received_attention", {}, [](const Arguments&) { return received_attention_scorer(); }},
      {"predictor", {}, [](const Arguments&) { return predictor_scorer(); }},
      {"random",
       {{"seed", Kind::integer, "0"}},
       [](const Arguments& given) { return random_scorer(given.integer("seed")); }},
  };
  words.select = {
      {"top_k",
       {rate("keep"), choice("of", {"present", "input"}), choice("round", {"ceil", "floor"})},
       [](const Arguments& given) {
         return top_k_selector(given.numbers("keep"), top_k_options(given));
       }},
      {"threshold",
       {rate("threshold"), choice("of", {"score", "mean"})},
       [](const Arguments& given) {
         return threshold_selector(given.numbers("threshold"), threshold_of(given));
       }},
      {"mass",
       {rate("mass")},
       [](const Arguments& given) { return mass_selector(given.numbers("mass")); }},
  };
  words.drop = {
      {"gone", {}, [](const Arguments&) { return gone_policy(); }},
      {"fuse", {}, [](const Arguments&) { return fuse_policy(); }},
  };
  words.method = {
      {"dense", {}, expand_dense},
      {"evit",
       {{"keep"}, {"threshold"}, {"mass"}, {"fuse", Kind::flag}, {"sites", Kind::text, "3/6/9"}},
       expand_evit},
      {"dynamicvit", {{"keep"}, {"threshold"}, {"sites", Kind::text, "3/6/9"}}, expand_dynamicvit},
      {"random",
       {{"keep", Kind::numbers, "0.7"},
        {"seed", Kind::integer, "0"},
        {"sites", Kind::text, "3/6/9"}},
       expand_random},
  };
  return words;
}

}  // namespace

Registry& registry() {
  static Registry words = make_registry();
  return words;
}

}  // namespace tokensieve
