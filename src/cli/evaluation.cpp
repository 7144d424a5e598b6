#include "evaluation.h"

#include <algorithm>

#include "pixel_loader.h"
#include "progress.h"
#include "runs.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

struct Batch {
  std::vector<std::vector<float>> pixels;
  size_t size() const { return pixels.size(); }
};

// Takes up to `size` readable pictures and files the others under `skipped`.
Batch next_batch(PixelLoader& loader, size_t& taken, const LabelledPictures& all, size_t size,
                 const EvaluationOptions& options, Evaluation& evaluation) {
  Batch batch;
  while (batch.size() < size && taken < loader.size()) {
    PixelLoader::Item item = loader.next();
    ++taken;
    try {
      if (item.error) std::rethrow_exception(item.error);
    } catch (const std::runtime_error& error) {
      const std::string message = cat(all.paths[item.index].string(), ": ", error.what());
      check_runtime(options.skip_broken, "[", options.operation, "] cannot read ", message,
                    "; --skip-broken goes on without such pictures");
      evaluation.skipped.push_back(message);
      continue;
    }
    batch.pixels.push_back(std::move(item.pixels));
    evaluation.pictures.paths.push_back(all.paths[item.index]);
    evaluation.pictures.labels.push_back(all.labels[item.index]);
  }
  return batch;
}

void run(const Classifier& classifier, std::span<const PixelsView> batch, RecipeResult& result) {
  for (const Classification& answer : classifier.classify(batch, result.recipe.recipe)) {
    result.predictions.push_back(best_label(answer.output.logits));
    result.macs += static_cast<double>(answer.output.macs.total());
    for (size_t l = 0; l < answer.output.layers.size(); ++l) {
      result.layer_rows[l] += static_cast<double>(answer.output.layers[l].mlp);
    }
  }
}

}  // namespace

LabelledPictures spread(const LabelledPictures& pictures, size_t limit) {
  const size_t total = pictures.paths.size();
  if (limit == 0 || limit >= total) return pictures;
  LabelledPictures some;
  for (size_t i = 0; i < limit; ++i) {
    some.paths.push_back(pictures.paths[i * total / limit]);
    some.labels.push_back(pictures.labels[i * total / limit]);
  }
  return some;
}

Evaluation evaluate(std::span<const Contender> contenders, const LabelledPictures& pictures,
                    const EvaluationOptions& options) {
  Evaluation evaluation;
  for (const Contender& contender : contenders) {
    const auto depth = static_cast<size_t>(contender.classifier->folder().vit.depth());
    evaluation.results.push_back({contender.recipe, {}, std::vector<double>(depth), 0.0});
  }
  const Classifier& classifier = *contenders.front().classifier;  // for what all have in common
  const auto size = static_cast<size_t>(options.batch);
  PixelLoader loader(classifier, pictures.paths, options.decode, options.workers, 2 * size);
  Progress progress(options.operation, loader.size());
  size_t taken = 0;
  while (taken < loader.size()) {
    const Batch batch = next_batch(loader, taken, pictures, size, options, evaluation);
    if (batch.size() == 0) break;
    const auto views = views_of(classifier.folder(), batch.pixels);
    for (size_t r = 0; r < contenders.size(); ++r) {
      run(*contenders[r].classifier, views, evaluation.results[r]);
    }
    progress.update(taken);
  }
  check_runtime(!evaluation.pictures.paths.empty(), "[", options.operation, "] none of the ",
                loader.size(), " pictures could be read; the first: ",
                evaluation.skipped.empty() ? "" : evaluation.skipped.front());
  return evaluation;
}

}  // namespace tokensieve::cli
