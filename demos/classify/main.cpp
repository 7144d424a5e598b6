// Classifies one picture with the whole network and with a recipe that drops tokens, and compares.
//
//   demo_classify MODEL_FOLDER IMAGE [RECIPE]

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

#include "tokensieve/engine/classifier.h"
#include "tokensieve/io/image.h"

namespace ts = tokensieve;

namespace {

struct Timed {
  ts::Classification result;
  double milliseconds = 0.0;
};

// The best of ten runs: the first ones also make what later ones reuse.
Timed classify(const ts::Classifier& classifier, const ts::PixelsView& pixels,
               const ts::Recipe& recipe) {
  using Clock = std::chrono::steady_clock;
  Timed best{{}, 1e9};
  for (int i = 0; i < 10; ++i) {
    const auto start = Clock::now();
    auto results = classifier.classify(std::span(&pixels, 1), recipe);
    const std::chrono::duration<double, std::milli> passed = Clock::now() - start;
    if (passed.count() < best.milliseconds) best = {std::move(results.front()), passed.count()};
  }
  return best;
}

void print(const std::string& name, const Timed& timed) {
  const ts::RunOutput& output = timed.result.output;
  std::printf("%s: %.2f GMAC, %.1f ms\n", name.c_str(),
              static_cast<double>(output.macs.total()) / 1e9, timed.milliseconds);
  for (const ts::SiteTrace& site : output.trace.sites) {
    std::printf("  block %d: %ld of %ld tokens left\n", site.site.layer,
                static_cast<long>(site.rows - output.trace.num_prefix_tokens),
                static_cast<long>(output.trace.num_tokens));
  }
  for (const ts::Guess& guess : timed.result.top) {
    std::printf("  %5.1f %%  %s\n", 100.0 * guess.probability, guess.name.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: demo_classify MODEL_FOLDER IMAGE [RECIPE]\n");
    return 2;
  }
  try {
    const auto classifier = ts::Classifier::load(argv[1], {.threads = 0, .top = 3});
    const auto recipe = argc == 4 ? ts::Recipe::parse(argv[3]) : classifier.default_recipe();
    const auto& size = classifier.folder().preprocessing;
    const auto pixels = classifier.preprocess(ts::read_image(argv[2]));
    const ts::PixelsView view{pixels.data(), size.height, size.width};

    const Timed dense = classify(classifier, view, ts::Recipe());
    const Timed sieved = classify(classifier, view, recipe);
    print("dense", dense);
    print(recipe.str(), sieved);
    std::printf("%.2f times as fast\n", dense.milliseconds / sieved.milliseconds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo_classify: %s\n", error.what());
    return 1;
  }
}
