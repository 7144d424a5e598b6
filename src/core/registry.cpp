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

/// EViT's selection, with a threshold or a mass in place of its keep rate if there is one.
std::string expand_evit(const Arguments& arguments) {
  std::string select;
  for (const char* key : {"keep", "threshold", "mass"}) {
    if (!arguments.has(key)) continue;
    check_argument(select.empty(),
                   "[recipe] expected one of keep, threshold and mass in evit(...), ", "got two");
    const std::string word = key == std::string_view("keep") ? "top_k" : key;
    select = cat(word, "(", arguments.text(key), ")");
  }
  return cat("score=cls_attention | select=", select.empty() ? "top_k(0.7)" : select,
             " | drop=", arguments.has("fuse") ? "fuse" : "gone",
             " | at=after_attention:", arguments.text("sites"));
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
