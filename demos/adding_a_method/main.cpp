// Registers a method of its own and runs it beside EViT and random drop on one picture.
//
//   demo_adding_a_method MODEL_FOLDER IMAGE

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "state_norm.h"
#include "tokensieve/core/recipe_words.h"
#include "tokensieve/engine/classifier.h"

namespace ts = tokensieve;

namespace {

void register_state_norm() {
  ts::register_word(ts::Word<ts::Scorer>{
      "state_norm", {}, [](const ts::Arguments&) -> std::unique_ptr<ts::Scorer> {
        return std::make_unique<StateNormScorer>();
      }});
}

// A short form: by_norm(keep=0.7, sites=3/6/9).
void register_by_norm() {
  using Kind = ts::Parameter::Kind;
  ts::register_method({"by_norm",
                       {{"keep", Kind::numbers, "0.7"}, {"sites", Kind::text, "3/6/9"}},
                       [](const ts::Arguments& given) {
                         return "score=state_norm | select=top_k(" + given.text("keep") +
                                ") | drop=gone | at=before:" + given.text("sites");
                       }});
}

void run(const ts::Classifier& classifier, const ts::Image& image, const std::string& recipe) {
  const ts::Classification result = classifier.classify(image, ts::Recipe::parse(recipe));
  std::printf("%-20s %-16s %5.1f %%  %.2f GMAC  tokens: %ld", recipe.c_str(),
              result.top.front().name.c_str(), 100.0 * result.top.front().probability,
              static_cast<double>(result.output.macs.total()) / 1e9,
              static_cast<long>(result.output.trace.num_tokens));
  for (const ts::SiteTrace& site : result.output.trace.sites) {
    std::printf(" > %ld", static_cast<long>(site.rows - result.output.trace.num_prefix_tokens));
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: demo_adding_a_method MODEL_FOLDER IMAGE\n");
    return 2;
  }
  try {
    register_state_norm();
    register_by_norm();
    const auto classifier = ts::Classifier::load(argv[1]);
    const ts::Image image = ts::read_image(argv[2]);
    for (const char* recipe :
         {"dense", "by_norm(keep=0.7)", "evit(keep=0.7)", "random(keep=0.7)"}) {
      run(classifier, image, recipe);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo_adding_a_method: %s\n", error.what());
    return 1;
  }
}
