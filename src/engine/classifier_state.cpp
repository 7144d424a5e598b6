#include "classifier_state.h"

#include "threads.h"
#include "tokensieve/core/error.h"
#include "tokensieve/engine/machine.h"

namespace tokensieve {

ClassifierState::ClassifierState(ModelFolder folder_, ClassifierOptions options_,
                                 std::string_view operation)
    : folder(std::move(folder_)), options(options_), recipe(Recipe::parse(folder.recipe)) {
  check_argument(options.top > 0, operation, " top must be 1 or more, got ", options.top);
  check_argument(options.batch > 0, operation, " batch must be 1 or more, got ", options.batch);
  check_threads(operation, options.threads);
  for (const Calibration& calibration : folder.calibrations) calibration.validate();
}

const WeightSource& ClassifierState::checked_weights(int num_classes,
                                                     std::string_view operation) const {
  check_argument(folder.weights != nullptr, operation, " the model has no weights");
  check_argument(folder.labels.empty() || std::ssize(folder.labels) == num_classes, operation,
                 " expected ", num_classes, " labels, one a class, got ", folder.labels.size());
  return *folder.weights;
}

Machine ClassifierState::machine() const { return this_machine(options.threads); }

BudgetChoice ClassifierState::within(const Budget& budget,
                                     const std::optional<Recipe>& wanted) const {
  std::optional<Recipe> chosen = wanted;
  if (!chosen && !recipe.is_dense()) chosen = recipe;
  return choose_density(find_calibration(folder.calibrations, chosen), budget, machine());
}

}  // namespace tokensieve
