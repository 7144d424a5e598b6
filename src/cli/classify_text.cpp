#include "classify_text.h"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "json_output.h"
#include "runs.h"
#include "statistics.h"
#include "table.h"
#include "terminal.h"
#include "text_strip.h"
#include "tokensieve/core/error.h"
#include "tokensieve/engine/text_classifier.h"

namespace tokensieve::cli {
namespace {

/// What one recipe made of one text.
struct Answer {
  NamedRecipe recipe;
  Classification result;
  double seconds = 0.0;
};

/// All recipes on one text, in turns.
std::vector<Answer> answers_of(const TextClassifier& classifier, const Tokens& tokens,
                               const std::vector<NamedRecipe>& recipes, int repeat) {
  using Clock = std::chrono::steady_clock;
  const TokensView view{tokens.ids, tokens.types};
  std::vector<Answer> answers;
  for (const NamedRecipe& recipe : recipes) {
    answers.push_back({recipe, std::move(classifier.classify({&view, 1}, recipe.recipe)[0]), 0.0});
  }
  std::vector<std::vector<double>> seconds(recipes.size());
  for (int turn = 0; turn < repeat; ++turn) {
    for (size_t r = 0; r < recipes.size(); ++r) {
      const auto start = Clock::now();
      classifier.classify({&view, 1}, recipes[r].recipe);
      seconds[r].push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
  }
  for (size_t r = 0; r < recipes.size(); ++r) answers[r].seconds = median(seconds[r]);
  return answers;
}

std::string table_of(const std::vector<Answer>& answers) {
  Table table({{"recipe", false}, {"label", false}, {""}, {"tokens"}, {"GMACs"}, {"ms"}, {"exit"}});
  for (const Answer& answer : answers) {
    const RunOutput& output = answer.result.output;
    const auto& top = answer.result.top;
    table.add({answer.recipe.name, top.empty() ? "" : top[0].name,
               top.empty() ? "" : percent(top[0].probability),
               arrow_list(tokens_left(output.trace)),
               giga(static_cast<double>(output.macs.total())), fixed(1e3 * answer.seconds, 2),
               output.trace.exit_layer < 0 ? "" : cat("block ", output.trace.exit_layer)});
  }
  return table.str();
}

nlohmann::ordered_json json_of(const TextSample& text, const Tokens& tokens,
                               const std::vector<Answer>& answers) {
  auto runs = nlohmann::ordered_json::array();
  for (const Answer& answer : answers) {
    const RunOutput& output = answer.result.output;
    auto top = nlohmann::ordered_json::array();
    for (const Guess& guess : answer.result.top) {
      top.push_back(
          {{"label", guess.label}, {"name", guess.name}, {"probability", guess.probability}});
    }
    nlohmann::ordered_json run{{"name", answer.recipe.name},
                               {"recipe", answer.recipe.recipe.str()},
                               {"top", top},
                               {"tokens", tokens_left(output.trace)},
                               {"kept", output.trace.kept_indices()},
                               {"exit_layer", output.trace.exit_layer},
                               {"macs", output.macs.total()},
                               {"seconds", answer.seconds}};
    if (answers.front().recipe.recipe.is_dense()) {
      const Answer& dense = answers.front();
      run["macs_share"] = static_cast<double>(output.macs.total()) /
                          static_cast<double>(dense.result.output.macs.total());
      run["speedup"] = dense.seconds / answer.seconds;
      if (!dense.result.top.empty()) {  // an embedding has no label
        run["same_label"] = same_guess(answer.result.top.front(), dense.result.top.front());
      }
    }
    runs.push_back(run);
  }
  nlohmann::ordered_json json{{"text", text.text}};
  if (text.text_pair) json["text_pair"] = *text.text_pair;
  json.update({{"token_count", tokens.ids.size()}, {"runs", runs}});
  return json;
}

}  // namespace

void classify_texts(const TextRun& run) {
  const auto path = run.model.path();
  const LoadedModel loaded = run.model.load(run.top);
  const TextClassifier& classifier = loaded.texts("classify");
  const ModelFolder& model = classifier.folder();
  const BertConfig& config = classifier.bert().config();
  check_runtime(!config.has_token_head(), "[classify] expected a model with a label for a text, ",
                path.string(), " has one for each token");
  classifier.tokenizer();  // says so if there is none, before anything is printed
  auto recipes = run.recipes.resolve(loaded);
  if (run.compare_dense) recipes = dense_first(std::move(recipes));

  auto list = nlohmann::ordered_json::array();
  if (!run.json) {
    std::cout << describe(path, model) << ", threads: " << run.model.thread_count() << "\n";
  }
  for (const TextSample& text : run.texts) {
    const Tokens tokens = classifier.tokenize(text);
    const auto answers = answers_of(classifier, tokens, recipes, run.repeat);
    if (run.json) {
      list.push_back(json_of(text, tokens, answers));
      continue;
    }
    std::cout << "\n"
              << text_strip(text, tokens, answers.back().result.output.trace, config.depth())
              << table_of(answers) << std::flush;
  }
  if (run.json) {
    print_json({{"model", path.string()},
                {"threads", run.model.thread_count()},
                {"repeat", run.repeat},
                {"texts", list}});
  }
}

}  // namespace tokensieve::cli
