#include "registry.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tokensieve/core/ats.h"
#include "tokensieve/core/rank_bins.h"
#include "tokensieve/core/tome.h"

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

constexpr uint64_t kLongestReference = 1 << 20;

int64_t reference_length(const Arguments& arguments) {
  if (!arguments.has("n_ref")) return 0;
  const uint64_t n_ref = arguments.integer("n_ref");
  check_argument(n_ref >= 1 && n_ref <= kLongestReference, "[recipe] expected n_ref in [1, ",
                 kLongestReference, "], got ", n_ref);
  return static_cast<int64_t>(n_ref);
}

std::vector<double> thresholds_of(const Arguments& arguments) {
  const std::vector<double> given = arguments.numbers("threshold");
  if (!arguments.has("rising")) return given;
  check_argument(given.size() == 1, "[recipe] expected one threshold beside rising, the last, got ",
                 given.size());
  // Of a recipe that is parsed before a network says how many sites it has.
  const size_t num_sites = std::max<size_t>(arguments.num_sites(), 1);
  return rising_thresholds(given.front(), static_cast<int64_t>(num_sites));
}

std::unique_ptr<ExitRule> make_exit(ExitRule (*rule)(double), const Arguments& arguments,
                                    const std::string& key) {
  const std::vector<double> value = arguments.numbers(key);
  check_argument(value.size() == 1, "[recipe] expected one ", key, ", got ", value.size());
  return std::make_unique<ExitRule>(rule(value.front()));
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

/// Merges in every block.
std::string expand_tome(const Arguments& arguments) {
  return cat("reduce=tome(", arguments.text("r"), ", inflection=", arguments.text("inflection"),
             ", attention=", arguments.text("attention"),
             ") | at=after_attention:", arguments.text("sites"));
}

std::string expand_ats(const Arguments& arguments) {
  return cat("reduce=ats(", arguments.text("keep"),
             ") | at=inside_attention:", arguments.text("sites"));
}

/// Every score above a learned threshold, or a share of the input's tokens.
std::string expand_asvit(const Arguments& arguments) {
  const std::string density = given_density(arguments, "asvit", {"threshold", "keep"});
  const std::string select =
      density == "keep"
          ? cat("top_k(", arguments.text(density), ", of=input, round=floor)")
          : cat("threshold(", density.empty() ? "0.001/0.002/0.003" : arguments.text(density), ")");
  return cat("score=weighted_cls_attention | select=", select,
             " | drop=gone | at=before:", arguments.text("sites"));
}

/// One site; a share of the input's tokens, or those that hold a share of the attention.
std::string expand_sait(const Arguments& arguments) {
  const std::string density = given_density(arguments, "sait", {"keep", "mass"});
  const std::string select = density == "mass"
                                 ? cat("mass(", arguments.text(density), ")")
                                 : cat("top_k(", density.empty() ? "0.46" : arguments.text(density),
                                       ", of=input, round=floor)");
  return cat("score=", arguments.text("score"), " | select=", select,
             " | drop=gone | at=before:", arguments.text("sites"));
}

std::vector<Parameter> ltp_parameters() {
  return {
      {"threshold", Kind::numbers, "0.01"}, {"n_ref", Kind::integer}, {"sites", Kind::text, "1.."}};
}

std::vector<Parameter> magic_pyramid_parameters() {
  std::vector<Parameter> parameters = ltp_parameters();
  parameters.insert(parameters.end(), {{"entropy"}, {"confidence"}, {"patience"}});
  return parameters;
}

/// After the attention of every block but the first. One threshold is the last of those that rise
/// from block to block; a list are the learned ones.
std::string expand_ltp(const Arguments& arguments) {
  const bool rising = arguments.numbers("threshold").size() == 1;
  return cat("score=received_attention",
             arguments.has("n_ref") ? cat("(n_ref=", arguments.text("n_ref"), ")") : "",
             " | select=threshold(", arguments.text("threshold"), rising ? ", rising" : "",
             ") | drop=gone | at=after_attention:", arguments.text("sites"));
}

/// Rows leave by the attention of the block before the one that is to do without them.
std::string expand_top(const Arguments& arguments) {
  return cat("score=received_attention | select=rank_bins(bins=", arguments.text("bins"),
             ") | drop=gone | at=after_attention:", arguments.text("sites"));
}

/// Every token whose contribution reaches eta, block by block.
std::string expand_adapler(const Arguments& arguments) {
  return cat("score=contribution | select=threshold(", arguments.text("threshold"),
             ") | drop=gone | at=before:", arguments.text("sites"));
}

std::string expand_pabee(const Arguments& arguments) {
  return cat("exit=patience(", arguments.text("patience"), ")");
}

/// Tokens leave as in LTP, and texts whose answer is certain.
std::string expand_magic_pyramid(const Arguments& arguments) {
  const std::string exit =
      given_density(arguments, "magic_pyramid", {"entropy", "confidence", "patience"});
  return cat(expand_ltp(arguments), " | exit=", exit.empty() ? "entropy" : exit, "(",
             exit.empty() ? "0.3" : arguments.text(exit), ")");
}

constexpr double kMostMerges = 1 << 20;  // no image has as many patches

/// What tome() makes of its numbers: r at every site, or one that changes from site to site.
std::vector<int64_t> tome_merges(const Arguments& arguments) {
  const std::vector<double> r = arguments.numbers("r");
  std::vector<int64_t> merges;
  for (const double value : r) {
    check_argument(value >= 0 && value <= kMostMerges && value == std::floor(value),
                   "[recipe] expected r in tome(...) to be whole numbers from 0 to ",
                   static_cast<int64_t>(kMostMerges), ", got ", value);
    merges.push_back(static_cast<int64_t>(value));
  }
  const std::vector<double> inflection = arguments.numbers("inflection");
  check_argument(inflection.size() == 1 && (r.size() == 1 || inflection[0] == 0),
                 "[recipe] expected one inflection, and one r with it, in tome(...), got ",
                 inflection.size(), " and ", r.size());
  const auto sites = static_cast<int64_t>(arguments.num_sites());
  check_argument(sites == 0 || std::ssize(r) <= std::max<int64_t>(sites, 1),
                 "[recipe] expected at most ", sites, " values of r, got ", r.size());
  if (inflection[0] == 0) return merges;
  return tome_schedule(merges[0], inflection[0], std::max<int64_t>(sites, 1));
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
      {"received_attention",
       {{"n_ref", Kind::integer}},
       [](const Arguments& given) { return received_attention_scorer(reference_length(given)); }},
      {"weighted_cls_attention",
       {},
       [](const Arguments&) { return weighted_class_attention_scorer(); }},
      {"predictor", {}, [](const Arguments&) { return predictor_scorer(); }},
      {"contribution", {}, [](const Arguments&) { return contribution_scorer(); }},
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
       {rate("threshold"), choice("of", {"score", "mean"}), {"rising", Kind::flag}},
       [](const Arguments& given) {
         return threshold_selector(thresholds_of(given), threshold_of(given));
       }},
      {"mass",
       {rate("mass")},
       [](const Arguments& given) { return mass_selector(given.numbers("mass")); }},
      {"rank_bins",
       {{"bins", Kind::text, "", {}, true}},
       [](const Arguments& given) {
         RankBins bins = parse_rank_bins(given.text("bins"));
         check_argument(given.num_sites() == 0 || bins.size() == given.num_sites(),
                        "[rank_bins] expected bins for each of ", given.num_sites(), " sites, got ",
                        bins.size(), " in '", given.text("bins"), "'");
         return rank_bins_selector(std::move(bins));
       }},
  };
  words.drop = {
      {"gone", {}, [](const Arguments&) { return gone_policy(); }},
      {"fuse", {}, [](const Arguments&) { return fuse_policy(); }},
  };
  Parameter merges = rate("r");
  merges.padded = true;
  words.reduce = {
      {"tome",
       {merges, {"inflection", Kind::numbers, "0"}, choice("attention", {"proportional", "plain"})},
       [](const Arguments& given) {
         return tome_reducer(tome_merges(given), given.text("attention") == "proportional");
       }},
      {"ats",
       {rate("keep")},
       [](const Arguments& given) { return ats_reducer(given.numbers("keep")); }},
  };
  words.exit = {
      {"patience",
       {rate("patience")},
       [](const Arguments& given) { return make_exit(patience_rule, given, "patience"); }},
      {"entropy",
       {rate("entropy")},
       [](const Arguments& given) { return make_exit(entropy_rule, given, "entropy"); }},
      {"confidence",
       {rate("confidence")},
       [](const Arguments& given) { return make_exit(confidence_rule, given, "confidence"); }},
  };
  words.method = {
      {"dense", {}, expand_dense},
      {"evit",
       {{"keep"}, {"threshold"}, {"mass"}, {"fuse", Kind::flag}, {"sites", Kind::text, "3/6/9"}},
       expand_evit},
      {"dynamicvit", {{"keep"}, {"threshold"}, {"sites", Kind::text, "3/6/9"}}, expand_dynamicvit},
      {"sait",
       {{"keep"},
        {"mass"},
        choice("score", {"received_attention", "cls_attention"}),
        {"sites", Kind::text, "3"}},
       expand_sait},
      {"asvit", {{"threshold"}, {"keep"}, {"sites", Kind::text, "4/7/10"}}, expand_asvit},
      {"tome",
       {{"r", Kind::numbers, "13"},
        {"inflection", Kind::numbers, "0"},
        choice("attention", {"proportional", "plain"}),
        {"sites", Kind::text, "0.."}},
       expand_tome},
      {"ats", {{"keep", Kind::numbers, "1"}, {"sites", Kind::text, "3.."}}, expand_ats},
      {"ltp", ltp_parameters(), expand_ltp},
      {"top",
       {{"bins", Kind::text, "", {}, true}, {"sites", Kind::text, "", {}, true}},
       expand_top},
      {"adapler",
       {{"threshold", Kind::numbers, "0.25"}, {"sites", Kind::text, "0.."}},
       expand_adapler},
      {"pabee", {{"patience", Kind::numbers, "6"}}, expand_pabee},
      {"magic_pyramid", magic_pyramid_parameters(), expand_magic_pyramid},
      {"random",
       {{"keep", Kind::numbers, "0.7"},
        {"seed", Kind::integer, "0"},
        {"sites", Kind::text, "3/6/9"}},
       expand_random},
  };
  return words;
}

template <typename Entry>
void add(std::vector<Entry>& entries, Entry entry) {
  const auto belongs = [](char letter) {
    return letter == '_' || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9');
  };
  const bool digit_first = !entry.name.empty() && entry.name[0] >= '0' && entry.name[0] <= '9';
  check_argument(!entry.name.empty() && !digit_first && std::ranges::all_of(entry.name, belongs),
                 "[register] expected a name of letters, digits and '_', got '", entry.name, "'");
  const std::vector<std::string> known = names(entries);
  check_argument(std::ranges::find(known, entry.name) == known.end(),
                 "[register] expected a name that is not taken, got '", entry.name, "'; known are ",
                 joined(known));
  entries.push_back(std::move(entry));
}

}  // namespace

Registry& registry() {
  static Registry words = make_registry();
  return words;
}

void register_word(Word<Scorer> word) { add(registry().score, std::move(word)); }
void register_word(Word<Selector> word) { add(registry().select, std::move(word)); }
void register_word(Word<DropPolicy> word) { add(registry().drop, std::move(word)); }
void register_word(Word<Reducer> word) { add(registry().reduce, std::move(word)); }
void register_method(Method method) { add(registry().method, std::move(method)); }

}  // namespace tokensieve
