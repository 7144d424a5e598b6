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
    const auto recipe =
        ts::Recipe::parse(argc == 4 ? argv[3] : classifier.folder().recipe);  // the model's own
    const ts::TextSample text{argv[2]};
    const auto dense = classifier.classify(std::span(&text, 1), ts::Recipe());
    const auto sieved = classifier.classify(std::span(&text, 1), recipe);

    const ts::Tokens tokens = classifier.tokenize(text);
    const ts::RetentionTrace& trace = sieved.front().output.trace;
    ts::TextView view{text.text, tokens, trace, classifier.bert().config().depth()};
    if (trace.exit_layer >= 0) view.exit = trace.exit_layer;  // of recipes with early exit
    std::printf("%s", ts::terminal_strip(view, ::isatty(STDOUT_FILENO) != 0).c_str());
    print("dense", dense.front());
    print(recipe.str(), sieved.front());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo_classify_text: %s\n", error.what());
    return 1;
  }
}
