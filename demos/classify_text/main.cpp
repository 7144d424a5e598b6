// Says what a text says, dense and sieved, and shows at which block each word left.
//
//   demo_classify_text MODEL_FOLDER TEXT [RECIPE]

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

#include "tokensieve/engine/text_classifier.h"
#include "tokensieve/viz/text_strip.h"

namespace ts = tokensieve;

namespace {

void print(const std::string& name, const ts::Classification& result) {
  std::printf("%s: %.1f MMAC", name.c_str(), static_cast<double>(result.output.macs.total()) / 1e6);
  for (const ts::Guess& guess : result.top) {
    std::printf(", %.1f %% %s", 100.0 * guess.probability, guess.name.c_str());
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: demo_classify_text MODEL_FOLDER TEXT [RECIPE]\n");
    return 2;
  }
  try {
    const auto classifier = ts::TextClassifier::load(argv[1], {.threads = 0, .top = 2});
    const auto recipe = argc == 4 ? ts::Recipe::parse(argv[3]) : classifier.default_recipe();
    const ts::TextSample text{argv[2]};
    const ts::Classification dense = classifier.classify(text, ts::Recipe());
    const ts::Classification sieved = classifier.classify(text, recipe);

    const ts::Tokens tokens = classifier.tokenize(text);
    const ts::TextView view{text.text, tokens, sieved.output.trace,
                            classifier.bert().config().depth()};
    std::printf("%s", ts::terminal_strip(view, ::isatty(STDOUT_FILENO) != 0).c_str());
    print("dense", dense);
    print(recipe.str(), sieved);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo_classify_text: %s\n", error.what());
    return 1;
  }
}
