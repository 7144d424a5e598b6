#include "tokensieve/core/exit_rule.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "refuses.h"
#include "tokensieve/core/recipe.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

/// The block after which a sample with these logits exits, -1 if after none.
int exit_layer(const ExitRule& rule, const std::vector<std::vector<float>>& logits) {
  ExitState state;
  for (size_t l = 0; l < logits.size(); ++l) {
    if (rule.exits(logits[l], state)) return static_cast<int>(l);
  }
  return -1;
}

const std::vector<float> kA = {2, 0}, kB = {0, 2};

}  // namespace

TEST_CASE("entropy is that of the softmax, and does not overflow", "[core][exit_rule]") {
  CHECK(entropy_of(std::vector<float>{2, 0}) == Approx(0.3653339).epsilon(1e-6));
  CHECK(entropy_of(std::vector<float>{1000, 1000, 1000}) == Approx(std::log(3.0)));
  CHECK(entropy_of(std::vector<float>{1000, -1000}) == Approx(0.0).margin(1e-12));
  CHECK(entropy_of({}) == 0.0);
}

TEST_CASE("entropy exits strictly below its threshold", "[core][exit_rule]") {
  CHECK(exit_layer(entropy_rule(0.37), {kA}) == 0);
  CHECK(exit_layer(entropy_rule(0.36), {kA}) == -1);
  CHECK(exit_layer(entropy_rule(0.36), {kA, {4, 0}}) == 1);
  CHECK(exit_layer(entropy_rule(0), {{1000, -1000}}) == -1);
  CHECK(exit_layer(entropy_rule(1e9), {{0, 0}}) == 0);
}

TEST_CASE("confidence exits strictly above its threshold", "[core][exit_rule]") {
  const double highest = 1.0 / (1.0 + std::exp(-2.0));
  CHECK(exit_layer(confidence_rule(highest - 1e-6), {kA}) == 0);
  CHECK(exit_layer(confidence_rule(highest + 1e-6), {kA}) == -1);
  CHECK(exit_layer(confidence_rule(1), {{1000, -1000}}) == -1);
}

TEST_CASE("patience counts predictions equal to the one before", "[core][exit_rule]") {
  CHECK(exit_layer(patience_rule(1), {kA, kA, kA}) == 1);
  CHECK(exit_layer(patience_rule(2), {kA, kA, kA}) == 2);
  CHECK(exit_layer(patience_rule(2), {kA, kA, kB, kA, kA, kA}) == 5);
  CHECK(exit_layer(patience_rule(1), {kA, kB, kA, kB}) == -1);
  CHECK(exit_layer(patience_rule(0), {kA, kA, kA}) == -1);
  CHECK(exit_layer(patience_rule(3), {kA, kA, kA}) == -1);
}

TEST_CASE("logits that are not finite never end a sample's work", "[core][exit_rule]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const ExitRule& rule : {patience_rule(1), entropy_rule(10), confidence_rule(0.1)}) {
    CHECK(exit_layer(rule, {{nan, 0}, {nan, 0}, {INFINITY, 0}}) == -1);
  }
  CHECK(exit_layer(patience_rule(1), {kA, {nan, 0}, kA}) == -1);
}

TEST_CASE("numbers of exits that make no sense are refused", "[core][exit_rule]") {
  CHECK_REFUSES(patience_rule(1.5), "[patience] expected a whole number");
  CHECK_REFUSES(patience_rule(-1), "got -1");
  CHECK_REFUSES(entropy_rule(-0.1), "[entropy] expected a finite entropy");
  CHECK_REFUSES(entropy_rule(NAN), "got nan");
  CHECK_REFUSES(confidence_rule(0), "[confidence] expected a confidence in (0, 1]");
  CHECK_REFUSES(confidence_rule(1.1), "got 1.1");
}

TEST_CASE("recipes name an exit, alone or beside a method", "[core][recipe][exit_rule]") {
  const std::string pyramid =
      "score=received_attention | select=threshold(0.01, of=score, rising) | drop=gone | "
      "at=after_attention:1.. | exit=entropy(0.3)";
  CHECK(Recipe::parse("magic_pyramid").str() == pyramid);
  CHECK(Recipe::parse(pyramid) == Recipe::parse("magic_pyramid"));
  CHECK(Recipe::parse("magic_pyramid(patience=2)").str().ends_with("exit=patience(2)"));
  CHECK(Recipe::parse("magic_pyramid(confidence=0.9)").compile(6).exit() == confidence_rule(0.9));
  CHECK(Recipe::parse("pabee").str() == "exit=patience(6)");
  CHECK(Recipe::parse("exit=entropy(entropy=0.5)").str() == "exit=entropy(0.5)");
  CHECK(Recipe::parse("reduce=ats(1) | at=inside_attention:3.. | exit=patience(2)").str() ==
        "reduce=ats(1) | at=inside_attention:3.. | exit=patience(2)");
  const Recipe bins = Recipe::parse(
      "score=received_attention | select=rank_bins(bins=1110/1100) | drop=gone | "
      "at=after_attention:1/2 | exit=entropy(0.3)");  // no number but the exit's says how much
  CHECK(bins.density_key() == "entropy");
  CHECK(bins.density() == "0.3");
  CHECK(bins.with("entropy", 0.5).str().ends_with("exit=entropy(0.5)"));
  CHECK(method_name(bins.str()) == method_name(bins.with("entropy", 0.5).str()));
  CHECK_FALSE(Recipe::parse("pabee").is_dense());
  CHECK(Recipe::parse("pabee").compile(4).sites().empty());
  CHECK(Recipe::parse("evit").compile(12).exit().is_never());
  CHECK(Recipe::parse("evit").compile(12).has_fixed_counts());
  CHECK_FALSE(Recipe::parse("pabee").compile(4).has_fixed_counts());
  CHECK(Recipe::parse("pabee(patience=0)").compile(4).has_fixed_counts());

  CHECK_REFUSES(Recipe::parse("exit=entropy"), "expected entropy in entropy(...)");
  CHECK_REFUSES(Recipe::parse("exit=patiense(2)"), "did you mean 'patience'?");
  CHECK_REFUSES(Recipe::parse("exit=patience(2/3)"), "expected one patience, or one for each of 0");
  CHECK_REFUSES(Recipe::parse("exit=patience(2.5)"), "expected a whole number");
  CHECK_REFUSES(Recipe::parse("exit=patience(2) | exit=patience(2)"), "exit= once");
  CHECK_REFUSES(Recipe::parse("exit=patience(2) | at=before:1"), "expected score=");
  CHECK_REFUSES(Recipe::parse("exit=patience(2) | score=cls_attention"), "expected at=");
  CHECK_REFUSES(Recipe::parse("magic_pyramid(entropy=0.3, patience=2)"), "only one of");
  CHECK_REFUSES(
      Recipe::parse("reduce=ats(1) | drop=gone | at=inside_attention:3.. | exit=patience(2)"),
      "got both");
}

TEST_CASE("an exit's number is changed by its word", "[core][recipe][exit_rule]") {
  const Recipe pyramid = Recipe::parse("magic_pyramid");
  CHECK(pyramid.density_key() == "threshold");
  CHECK(pyramid.exit_key() == "entropy");
  CHECK(pyramid.with("entropy", 0.5) == Recipe::parse("magic_pyramid(entropy=0.5)"));
  CHECK(pyramid.with("threshold", 0.02) == Recipe::parse("magic_pyramid(threshold=0.02)"));
  CHECK(Recipe::parse("pabee").density_key() == "patience");
  CHECK(Recipe::parse("pabee").with("patience", 3) == Recipe::parse("pabee(patience=3)"));
  CHECK(Recipe::parse("evit").exit_key().empty());
  CHECK_REFUSES(pyramid.with("patience", 3), "expected threshold or entropy");
  CHECK_REFUSES(pyramid.with("entropy", -1), "[entropy] expected");
  CHECK_REFUSES(Recipe::parse("evit").with("entropy", 1), "expected keep");
}
