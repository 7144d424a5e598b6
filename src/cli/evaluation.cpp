#include "evaluation.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "option_values.h"
#include "progress.h"
#include "runs.h"
#include "sample_loader.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

/// What one pass reads: indices of its samples, their inputs being gone by then.
struct Pass {
  std::vector<size_t> samples;
  std::vector<std::string> skipped;
};

// Takes up to `size` readable samples and files the others under `skipped`.
std::vector<Input> next_batch(SampleLoader& loader, size_t& taken, const Samples& samples,
                              size_t size, const EvaluationOptions& options, Pass& pass) {
  std::vector<Input> batch;
  while (batch.size() < size && taken < loader.size()) {
    SampleLoader::Item item = loader.next();
    ++taken;
    try {
      if (item.error) std::rethrow_exception(item.error);
    } catch (const std::runtime_error& error) {
      const std::string message = cat(samples.name(item.index), ": ", error.what());
      check_runtime(options.skip_broken, "[", options.operation, "] cannot read ", message,
                    "; --skip-broken goes on without such pictures");
      pass.skipped.push_back(message);
      continue;
    }
    batch.push_back(std::move(item.input));
    pass.samples.push_back(item.index);
  }
  return batch;
}

void run(std::span<const Input> batch, RecipeResult& result, std::vector<int64_t>* lengths) {
  const Contender& contender = result.contender;
  for (const Classification& answer : contender.model->classify(batch, contender.recipe.recipe)) {
    const RunOutput& output = answer.output;
    result.predictions.push_back(best_label(output.logits));
    result.macs.push_back(output.macs.total());
    for (size_t l = 0; l < output.layers.size(); ++l) {
      result.layer_rows[l] += static_cast<double>(output.layers[l].mlp);
    }
    if (lengths) lengths->push_back(output.trace.num_tokens + output.trace.num_prefix_tokens);
  }
}

// Runs contenders that read the same samples; the first one's token counts go to `lengths`.
Pass run_pass(std::span<RecipeResult> results, const EvaluationOptions& options,
              std::vector<int64_t>* lengths) {
  const Samples& samples = *results.front().contender.samples;
  const auto size = static_cast<size_t>(options.batch);
  SampleLoader loader(samples, spread(samples.size(), options.limit), options.workers, 2 * size);
  Progress progress(options.operation, loader.size());
  Pass pass;
  size_t taken = 0;
  while (taken < loader.size()) {
    const auto batch = next_batch(loader, taken, samples, size, options, pass);
    if (batch.empty()) break;
    for (RecipeResult& result : results) {
      run(batch, result, &result == &results.front() ? lengths : nullptr);
    }
    progress.update(taken);
  }
  check_runtime(
      !pass.samples.empty(), "[", options.operation, "] none of the ", loader.size(),
      " pictures could be read; the first: ", pass.skipped.empty() ? "" : pass.skipped.front());
  return pass;
}

}  // namespace

std::string Contender::placed(const std::string& recipe_name) const {
  return recipe.folder.empty() ? recipe_name : cat(recipe_name, "@", recipe.folder);
}

void EvaluationOptions::add_to(CLI::App& command) {
  command.add_option("--limit", limit, "Use this many samples, spread over the data [all]")
      ->type_name("N")
      ->check(count_up_to(1'000'000'000));
  command.add_option("--batch", batch, "Samples in one call, but where speed is timed")
      ->type_name("N")
      ->check(count_up_to(kMaxBatch))
      ->capture_default_str();
  command.add_option("--workers", workers, "Threads that read samples")
      ->type_name("N")
      ->check(count_up_to(256))
      ->capture_default_str();
}

Evaluation evaluate(std::span<const Contender> contenders, const EvaluationOptions& options) {
  Evaluation evaluation;
  for (const Contender& contender : contenders) {
    const auto depth = static_cast<size_t>(contender.model->depth());
    evaluation.results.push_back({contender, {}, {}, std::vector<double>(depth)});
  }
  auto begin = evaluation.results.begin();
  while (begin != evaluation.results.end()) {
    const auto other = [&](const RecipeResult& result) {
      return result.contender.samples != begin->contender.samples;
    };
    const auto end = std::find_if(begin, evaluation.results.end(), other);
    const bool first = begin == evaluation.results.begin();
    Pass pass = run_pass({begin, end}, options, first ? &evaluation.lengths : nullptr);
    if (first) {
      evaluation.samples = std::move(pass.samples);
      evaluation.skipped = std::move(pass.skipped);
    }
    begin = end;
  }
  const Samples& samples = *contenders.front().samples;
  for (const size_t index : evaluation.samples) evaluation.labels.push_back(samples.label(index));
  return evaluation;
}

}  // namespace tokensieve::cli
