#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

#include "tokensieve/core/budget.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/calibration_file.h"

namespace tokensieve::python {

// What models of pictures and of texts share: densities by budget.

inline pybind11::dict machine_dict(const Machine& m) {
  using namespace pybind11::literals;
  return pybind11::dict("cpu"_a = m.cpu, "threads"_a = m.threads, "precision"_a = m.precision);
}

inline std::vector<std::string> calibration_texts(const std::vector<Calibration>& calibrations) {
  std::vector<std::string> texts;
  for (const Calibration& calibration : calibrations) {
    texts.push_back(calibration_json(calibration));
  }
  return texts;
}

/// The density of one of the budgets, which must be given.
template <typename Model>
BudgetChoice within(const Model& model, const std::optional<Recipe>& recipe,
                    std::optional<double> macs, std::optional<double> latency_ms,
                    std::optional<double> agree) {
  const auto budget = one_budget(macs, latency_ms, agree);
  check_argument(budget.has_value(),
                 "[budget] expected one of macs, latency_ms and agree, got none");
  return model.within(*budget, recipe);
}

}  // namespace tokensieve::python
