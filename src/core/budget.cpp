#include "tokensieve/core/budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tokensieve/core/clopper_pearson.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

std::string giga(double macs) { return macs < 1e6 ? cat(macs) : cat(macs / 1e9, "e9"); }

/// A staircase on one machine, and the words for a choice from it.
class Chooser {
 public:
  Chooser(const Calibration& calibration, const Budget& budget, const Machine& machine)
      : calibration_(calibration),
        budget_(budget),
        machine_(machine),
        latency_(calibration.on(machine)) {}

  BudgetChoice choose() const {
    switch (budget_.kind) {
      case Budget::Kind::macs:
        return within_macs();
      case Budget::Kind::latency_ms:
        return within_latency();
      case Budget::Kind::agree:
        break;
    }
    return that_agrees();
  }

 private:
  BudgetChoice within_macs() const {
    check_argument(budget_.value > 0 && std::isfinite(budget_.value),
                   "[budget] expected macs above 0, such as 1.5e9, got ", budget_.value);
    if (calibration_.dense_macs <= budget_.value) {
      return dense(cat("it takes ", giga(calibration_.dense_macs)));
    }
    bool fits = false;
    for (size_t i = 0; i < calibration_.steps.size(); ++i) {
      if (calibration_.steps[i].macs > budget_.value) continue;
      fits = true;
      if (gains(i)) return step(i, cat(giga(calibration_.steps[i].macs), " on average"));
    }
    check_argument(fits, "[budget] expected macs of at least ",
                   giga(calibration_.steps.back().macs), ", those of ",
                   calibration_.step_name(calibration_.steps.size() - 1), ", got ",
                   giga(budget_.value), budget_.value < 1e6 ? " (1.5G is 1.5e9)" : "",
                   "; calibrate sparser steps: tokensieve calibrate DATA --sweep FROM..TO");
    return dense("what fits is slower at batch 1" + where());
  }

  BudgetChoice within_latency() const {
    check_argument(budget_.value > 0 && std::isfinite(budget_.value),
                   "[budget] expected latency_ms above 0, got ", budget_.value);
    check_argument(latency_ != nullptr, "[budget] expected latencies of this machine (",
                   to_string(machine_), "), got ",
                   calibration_.latencies.empty()
                       ? "none"
                       : "those of " + to_string(calibration_.latencies.front().machine),
                   "; measure them: tokensieve calibrate DATA --only-latency --threads ",
                   machine_.threads);
    if (latency_->dense.median <= budget_.value) {
      return dense(cat("it takes ", latency_->dense.median, " ms"));
    }
    // A step that fits is faster than dense, which does not; by chance one may be that costs more.
    for (size_t i = 0; i < calibration_.steps.size(); ++i) {
      if (median(i) > budget_.value || !gains(i)) continue;
      return step(i, cat(median(i), " ms at batch 1"));
    }
    std::optional<size_t> fastest;
    for (size_t i = 0; i < calibration_.steps.size(); ++i) {
      if (gains(i) && (!fastest || median(i) < median(*fastest))) fastest = i;
    }
    if (!fastest || median(*fastest) >= latency_->dense.median) {
      fail_argument("[budget] expected latency_ms of at least ", latency_->dense.median,
                    ", that of the dense network, got ", budget_.value,
                    "; no calibrated step is faster here at batch 1");
    }
    fail_argument("[budget] expected latency_ms of at least ", median(*fastest), ", that of ",
                  calibration_.step_name(*fastest), ", got ", budget_.value,
                  "; calibrate sparser steps: tokensieve calibrate DATA --sweep FROM..TO");
  }

  BudgetChoice that_agrees() const {
    const double agree = budget_.value;
    check_argument(agree > 0 && agree < 1, "[budget] expected agree above 0 and below 1, such as ",
                   "0.99, got ", agree);
    const int64_t needed = clopper_pearson_samples(agree);
    check_argument(calibration_.samples >= needed, "[budget] expected at least ", needed,
                   " calibration samples for agree=", agree, ", got ", calibration_.samples,
                   "; calibrate with more: tokensieve calibrate DATA");
    std::optional<size_t> best;
    std::string why_dense =
        cat("what agrees as often is slower at batch 1", where(), ", or not cheaper");
    for (size_t i = 0; i < calibration_.steps.size(); ++i) {
      if (!clopper_pearson_shows(calibration_.steps[i].agreed, calibration_.samples, agree)) {
        if (i == 0) {
          why_dense = cat(calibration_.step_name(i), " ", agreement(i), " only", confidence());
        }
        break;
      }
      if (gains(i)) best = i;
    }
    if (!best) return dense(why_dense);
    return step(*best, agreement(*best) + confidence());
  }

  double median(size_t i) const { return latency_->steps[i].median; }

  /// In words, rounded down: no more is claimed than is shown.
  std::string agreement(size_t i) const {
    return cat("agrees in ", std::floor(1e4 * bound(i)) / 1e4, " or more");
  }

  double bound(size_t i) const {
    return clopper_pearson_lower(calibration_.steps[i].agreed, calibration_.samples);
  }

  std::string confidence() const {
    return cat(" (95 % confidence, ", calibration_.samples, " samples)");
  }

  /// Whether a step is cheaper than dense and not slower: on this machine or, where it was not
  /// measured, on all that were.
  bool gains(size_t i) const {
    const auto slower = [i](const MachineLatency& latency) {
      return latency.steps[i].median > latency.dense.median;
    };
    return calibration_.steps[i].macs < calibration_.dense_macs &&
           !(latency_ != nullptr ? slower(*latency_)
                                 : std::ranges::any_of(calibration_.latencies, slower));
  }

  std::string where() const {
    return latency_ != nullptr ? "" : " on a machine that was measured, as this one was not";
  }

  BudgetChoice step(size_t i, const std::string& why) const {
    const std::string unknown =
        latency_ != nullptr ? ""
                            : "; whether it is faster than dense was not measured on this machine";
    return {calibration_.at(i), calibration_.steps[i].density,
            cat(asked(), calibration_.step_name(i), ", ", why, unknown)};
  }

  BudgetChoice dense(const std::string& why) const {
    return {Recipe(), std::nullopt, cat(asked(), "dense, ", why)};
  }

  std::string asked() const {
    const bool macs = budget_.kind == Budget::Kind::macs;
    return cat(budget_word(budget_.kind), "=", macs ? giga(budget_.value) : cat(budget_.value),
               ": ");
  }

  const Calibration& calibration_;
  const Budget& budget_;
  const Machine& machine_;
  const MachineLatency* latency_;  // null where the machine was not measured
};

}  // namespace

std::string_view budget_word(Budget::Kind kind) {
  switch (kind) {
    case Budget::Kind::macs:
      return "macs";
    case Budget::Kind::latency_ms:
      return "latency_ms";
    case Budget::Kind::agree:
      break;
  }
  return "agree";
}

std::optional<Budget> one_budget(std::optional<double> macs, std::optional<double> latency_ms,
                                 std::optional<double> agree) {
  std::optional<Budget> budget;
  for (const auto& [kind, value] :
       {std::pair{Budget::Kind::macs, macs}, std::pair{Budget::Kind::latency_ms, latency_ms},
        std::pair{Budget::Kind::agree, agree}}) {
    if (!value) continue;
    check_argument(!budget, "[budget] expected one of macs, latency_ms and agree, got ",
                   budget ? budget_word(budget->kind) : "", " and ", budget_word(kind));
    budget = Budget{kind, *value};
  }
  return budget;
}

BudgetChoice choose_density(const Calibration& calibration, const Budget& budget,
                            const Machine& machine) {
  // Not validate(): that parses the recipe for each step, and every call may come here.
  const size_t count = calibration.steps.size();
  check_argument(count > 0 && std::ranges::all_of(calibration.latencies,
                                                  [count](const MachineLatency& latency) {
                                                    return latency.steps.size() == count;
                                                  }),
                 "[budget] expected a calibration with steps, and a latency for each");
  return Chooser(calibration, budget, machine).choose();
}

const Calibration& find_calibration(std::span<const Calibration> calibrations,
                                    const std::optional<Recipe>& recipe) {
  std::string known;
  for (const Calibration& calibration : calibrations) {
    known += (known.empty() ? "'" : ", '") + calibration.recipe + "'";
  }
  if (known.empty()) known = "none";
  if (!recipe) {
    check_argument(
        calibrations.size() == 1, "[budget] expected a recipe, or a model with one ",
        "calibration, got ", known,
        calibrations.empty() ? "; make one: tokensieve calibrate DATA" : "; say which recipe");
    return calibrations.front();
  }
  check_argument(!recipe->is_dense(), "[budget] expected a recipe with a density, got dense");
  for (const Calibration& calibration : calibrations) {
    if (calibration.is_of(*recipe)) return calibration;
  }
  fail_argument("[budget] expected a calibration of '", recipe->str(), "', got ", known,
                "; make one: tokensieve calibrate DATA --recipe RECIPE");
}

}  // namespace tokensieve
