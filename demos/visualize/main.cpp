// Draws what a recipe keeps of a picture: the strip from the input to the last site, as PNG, and a
// page to look through the sites with, as HTML.
//
//   demo_visualize MODEL_FOLDER IMAGE OUT_NAME [RECIPE]

#include <cstdio>
#include <exception>
#include <string>

#include "tokensieve/engine/classifier.h"
#include "tokensieve/io/preprocess.h"
#include "tokensieve/viz/html_report.h"
#include "tokensieve/viz/retention_strip.h"

namespace ts = tokensieve;

namespace {

ts::RunSummary summary_of(const ts::Classification& result) {
  ts::RunSummary summary;
  for (const ts::Guess& guess : result.top) summary.top.push_back({guess.name, guess.probability});
  summary.macs = result.output.macs.total();
  return summary;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    std::fprintf(stderr, "usage: demo_visualize MODEL_FOLDER IMAGE OUT_NAME [RECIPE]\n");
    return 2;
  }
  try {
    const auto classifier = ts::Classifier::load(argv[1], {.threads = 0, .top = 3});
    const auto recipe = argc == 5 ? ts::Recipe::parse(argv[4]) : classifier.default_recipe();
    const ts::Image picture = ts::read_image(argv[2]);
    const ts::Classification dense = classifier.classify(picture, ts::Recipe());
    const ts::Classification sieved = classifier.classify(picture, recipe);

    // Patches divide what the network saw, not the file's pixels.
    const auto& size = classifier.folder().preprocessing;
    const int patch = classifier.folder().vit.patch_size;
    const ts::Image seen = ts::resize_and_crop(picture, size);
    const ts::RetentionView view{seen, size.height / patch, size.width / patch,
                                 sieved.output.trace};
    const ts::RetentionCaption caption{argv[2], recipe.str(), summary_of(dense),
                                       summary_of(sieved)};

    const std::string name = argv[3];
    ts::write_png(name + ".png", ts::draw_strip(view, caption));
    const ts::ReportEntry entry{view, caption};
    ts::write_html_report(name + ".html", std::span(&entry, 1));
    std::printf("wrote %s.png and %s.html\n", name.c_str(), name.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo_visualize: %s\n", error.what());
    return 1;
  }
}
