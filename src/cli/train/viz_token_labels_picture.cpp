#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "load_network.h"
#include "table.h"
#include "token_labels.h"
#include "token_labels_picture.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/io/image.h"
#include "tokensieve/viz/heatmap.h"
#include "torch_program.h"

namespace tokensieve::cli {
namespace {

struct Options {
  std::filesystem::path picture, model, out;
  std::string label;
};

/// The class to draw: the one that was asked for, or the one that all places say most.
int64_t class_of(const std::string& label, const ModelFolder& model, const torch::Tensor& labels) {
  if (label.empty()) return labels.mean(0).argmax().item<int64_t>();
  const auto found = std::ranges::find(model.labels, label);
  check_runtime(found != model.labels.end(), "[token-labels] expected a class of the model, got '",
                label, "'", did_you_mean(label, model.labels));
  return found - model.labels.begin();
}

void run(const Options& options) {
  const ModelFolder model = open_model_folder(options.model);
  const int64_t classes = model.image_config("[token-labels]").num_classes;
  const Preprocessing preprocessing = whole_pictures(model.preprocessing);
  const nn::Vit teacher = load_network(model, preprocessing.height, preprocessing.width);
  const ImageDataset data{{"picture"}, {{options.picture, 0}}};
  ImageLoader loader(data, preprocessing, evaluation_options(1));
  const nn::LabelMaps maps = nn::annotate(teacher, loader, classes, torch::kCPU, /*bf16=*/false);

  const int height = teacher->config().grid_height(), width = teacher->config().grid_width();
  const torch::Tensor labels = maps.labels(std::vector<int64_t>{0}, {}, height, width)[0];
  const int64_t best = class_of(options.label, model, labels);
  const torch::Tensor values = labels.select(1, best).contiguous();
  const double share = labels.argmax(1).eq(best).to(torch::kDouble).mean().item<double>();
  HeatmapOptions heatmap;
  heatmap.scale = ValueScale::linear;
  const auto index = static_cast<size_t>(best);
  const std::string name = index < model.labels.size() ? model.labels[index] : cat("class ", best);
  heatmap.title = cat(name, ": ", percent(share), " of the places");
  write_png(
      options.out,
      draw_heatmap(resize_and_crop(read_image(options.picture), preprocessing), height, width,
                   {values.const_data_ptr<float>(), static_cast<size_t>(values.numel())}, heatmap));
  std::cout << heatmap.title << "\nwrote " << options.out.string() << "\n";
}

}  // namespace

int token_labels_command(int argc, char** argv) {
  CLI::App program(
      "Draws what a teacher of Token Labeling says of every place of a picture: the probability "
      "of one class, there.");
  program.name("tokensieve-train token-labels");
  program.footer(
      "Example: tokensieve-train token-labels photo.jpg --model runs/teacher/model --out "
      "labels.png");
  Options options;
  program.add_option("picture", options.picture, "A picture")->required()->check(CLI::ExistingFile);
  program.add_option("--model", options.model, "Model folder of the teacher")
      ->required()
      ->check(CLI::ExistingDirectory);
  program.add_option("--class", options.label, "Class to draw [what all places say most]");
  program.add_option("--out", options.out, "PNG file to write")->required();
  return run_torch_program(program, "use a smaller teacher", [&] {
    program.parse(argc, argv);
    run(options);
  });
}

}  // namespace tokensieve::cli
