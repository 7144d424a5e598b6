#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tokensieve/core/calibration.h"

namespace tokensieve {

/// What a call may cost, or how often it must agree with the dense network.
struct Budget {
  enum class Kind {
    macs,        ///< At most so many multiply-accumulates of a sample, on average.
    latency_ms,  ///< At most so many milliseconds for a call with one sample, at the median.
    agree,       ///< At least this share of answers that are dense's.
  };
  Kind kind = Kind::macs;
  double value = 0.0;
};

/// "macs", "latency_ms" or "agree".
std::string_view budget_word(Budget::Kind kind);

/// The one that is given; none if none is. Throws std::invalid_argument for two.
std::optional<Budget> one_budget(std::optional<double> macs, std::optional<double> latency_ms,
                                 std::optional<double> agree);

/// The density for a budget.
struct BudgetChoice {
  Recipe recipe;                  ///< The calibrated one at `density`, or the dense network.
  std::optional<double> density;  ///< None for dense.
  std::string reason;             ///< In words, for people.
};

/// The density at which `calibration`, which holds together (validate()), has its recipe within
/// `budget`.
///
/// macs and latency_ms: dense where it fits, else the densest step that does. The latencies are
/// those of `machine`.
///
/// agree: the cheapest step of which the calibration samples show, with 95 % confidence, that it
/// agrees with dense that often: clopper_pearson_lower(agreed, samples) >= agree. Testing many
/// steps on the same samples would find one by luck; so they are tested in a fixed order, that of
/// their MACs, from dense down, and testing ends at the first that fails. Then the chance that the
/// step chosen agrees less often is 5 % at most, however many steps there are (fixed-sequence
/// testing; Maurer, Hothorn and Lehmacher, 1995). Dense where none passes.
///
/// A step that is slower than dense on `machine` at batch 1, or costs as many MACs, is never
/// chosen; where nothing else is left, macs and agree choose dense, for macs beyond the budget, and
/// latency_ms throws. Where `machine` was not
/// measured, macs and agree leave out what is slower than dense on any machine that was, and
/// `reason` says so.
///
/// Throws std::invalid_argument with the cure when the value makes no sense, no step is small
/// enough, the samples are too few to show the agreement, or latency_ms asks for a machine that was
/// not measured.
BudgetChoice choose_density(const Calibration& calibration, const Budget& budget,
                            const Machine& machine);

/// The calibration of `recipe`, whatever its density; without a recipe the only one there is.
/// Throws std::invalid_argument, naming those there are and the command that makes one.
const Calibration& find_calibration(std::span<const Calibration> calibrations,
                                    const std::optional<Recipe>& recipe);

}  // namespace tokensieve
