#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "guesses.h"
#include "tokensieve/core/budget.h"
#include "tokensieve/engine/classifier.h"
#include "tokensieve/io/model_folder.h"
#include "workspace_pool.h"

namespace tokensieve {

/// What Classifier and TextClassifier have in common: a folder, its recipe, and the buffers of
/// their calls.
struct ClassifierState {
  /// `operation`: "[classifier]". Throws as the classifiers' constructors do, but for the network.
  ClassifierState(ModelFolder folder_, ClassifierOptions options_, std::string_view operation);

  /// The folder's weights. Throws std::invalid_argument where it has none, or labels that are not
  /// one a class: what open_model_folder() sees to, a folder made in code may lack.
  const WeightSource& checked_weights(int num_classes, std::string_view operation) const;

  Machine machine() const;
  BudgetChoice within(const Budget& budget, const std::optional<Recipe>& wanted) const;

  /// Runs `inputs` in batches of options.batch; guesses only where logits are of classes.
  template <typename Network, typename View>
  std::vector<Classification> run(const Network& network, std::span<const View> inputs,
                                  const Schedule& schedule, bool has_guesses) {
    auto workspace = workspaces.borrow();
    std::vector<Classification> results;
    for (std::size_t first = 0; first < inputs.size(); first += batch()) {
      const auto batch_of_inputs = inputs.subspan(first, std::min(batch(), inputs.size() - first));
      for (RunOutput& output :
           network.run(batch_of_inputs, schedule, *workspace, options.threads)) {
        std::vector<Guess> top;
        if (has_guesses) top = best_guesses(output.logits, folder.labels, options.top);
        results.push_back({std::move(top), std::move(output)});
      }
    }
    workspaces.give_back(std::move(workspace));
    return results;
  }

  std::size_t batch() const { return static_cast<std::size_t>(options.batch); }

  ModelFolder folder;
  ClassifierOptions options;
  Recipe recipe;
  WorkspacePool workspaces;
};

}  // namespace tokensieve
