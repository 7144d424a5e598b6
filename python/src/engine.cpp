#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>

#include "budget.h"
#include "numpy.h"
#include "tokensieve/core/error.h"
#include "tokensieve/engine/classifier.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace tokensieve::python {
namespace {

py::object masks_of(const VitConfig& c) {
  const AttentionMasks& masks = c.masks;
  const auto empty = [](const std::vector<int>& heads) { return heads.empty(); };
  if (std::ranges::all_of(masks.heads, empty)) return py::none();
  return py::dict("heads"_a = masks.heads, "rows"_a = masks.rows, "columns"_a = masks.columns,
                  "kind"_a = to_string(masks.kind), "sees_prefix"_a = masks.sees_prefix);
}

py::dict config_dict(const VitConfig& c) {
  return py::dict("name"_a = c.name, "image_size"_a = py::make_tuple(c.image_height, c.image_width),
                  "patch_size"_a = c.patch_size, "in_channels"_a = c.in_channels,
                  "embed_dim"_a = c.embed_dim, "head_dim"_a = c.head_dim,
                  "num_heads"_a = c.num_heads, "mlp_dim"_a = c.mlp_dim, "depth"_a = c.depth(),
                  "num_classes"_a = c.num_classes, "num_prefix_tokens"_a = c.num_prefix_tokens(),
                  "distilled"_a = c.distilled, "layer_scale"_a = c.layer_scale,
                  "stem_channels"_a = c.stem_channels, "skip_lam"_a = c.skip_lam,
                  "aux_head"_a = c.aux_head,
                  "pooling"_a = c.pooling == Pooling::mean ? "mean" : "class_token",
                  "layer_norm_eps"_a = c.layer_norm_eps, "attention_masks"_a = masks_of(c));
}

py::dict preprocessing_dict(const Preprocessing& p) {
  return py::dict("size"_a = py::make_tuple(p.height, p.width), "crop_pct"_a = p.crop_pct,
                  "crop_mode"_a = std::string(crop_mode_name(p.crop_mode)),
                  "interpolation"_a = std::string(interpolation_name(p.interpolation)),
                  "mean"_a = p.mean, "std"_a = p.std);
}

py::dict macs_dict(const MacCount& m) {
  return py::dict("patch_embed"_a = m.patch_embed, "attention_linear"_a = m.attention_linear,
                  "attention_products"_a = m.attention_products, "mlp"_a = m.mlp, "head"_a = m.head,
                  "predictors"_a = m.predictors, "total"_a = m.total());
}

py::array_t<int64_t> layers_array(const std::vector<LayerTokens>& layers) {
  py::array_t<int64_t> array({static_cast<py::ssize_t>(layers.size()), py::ssize_t{3}});
  auto view = array.mutable_unchecked<2>();
  for (py::ssize_t l = 0; l < view.shape(0); ++l) {
    const LayerTokens& tokens = layers[static_cast<size_t>(l)];
    view(l, 0) = tokens.attention;
    view(l, 1) = tokens.queries;
    view(l, 2) = tokens.mlp;
  }
  return array;
}

std::vector<Classification> run(const Classifier& model, const std::vector<Array<float>>& pixels,
                                const std::optional<Recipe>& recipe) {
  std::vector<PixelsView> views;
  const int channels = model.vit().config().in_channels;
  for (const auto& image : pixels) {
    check_argument(image.ndim() == 3 && image.shape(0) == channels && image.shape(1) <= INT32_MAX &&
                       image.shape(2) <= INT32_MAX,
                   "[run] expected float32 arrays [", channels, ", height, width], got ",
                   shape_text(image));
    views.push_back(
        {image.data(), static_cast<int>(image.shape(1)), static_cast<int>(image.shape(2))});
  }
  return without_gil([&] { return model.classify(views, recipe); });
}

using StepTuple = std::tuple<double, double, int64_t, std::optional<int64_t>>;

std::string save(const std::filesystem::path& folder, const std::string& recipe, int64_t samples,
                 const std::pair<double, std::optional<int64_t>>& dense,
                 const std::vector<StepTuple>& steps, const py::dict& machine,
                 const std::vector<std::tuple<double, double, double>>& milliseconds) {
  Calibration calibration;
  calibration.recipe = recipe;
  calibration.samples = samples;
  std::tie(calibration.dense_macs, calibration.dense_correct) = dense;
  for (const auto& [density, macs, agreed, correct] : steps) {
    calibration.steps.push_back({density, macs, agreed, correct});
  }
  if (!milliseconds.empty()) {
    const Machine of{machine["cpu"].cast<std::string>(), machine["threads"].cast<int>(),
                     machine["precision"].cast<std::string>()};
    std::vector<Latency> latencies;
    for (const auto& [median, low, high] : milliseconds) latencies.push_back({median, low, high});
    calibration.latencies.push_back(
        {of, latencies.front(), {latencies.begin() + 1, latencies.end()}});
  }
  save_calibration(calibration, folder);
  return calibration_json(calibration);
}

}  // namespace

void register_engine(py::module_& m) {
  py::class_<Classification>(m, "Output", "What a run gives for one input.")
      .def_property_readonly(
          "logits", [](const Classification& c) { return to_numpy(c.output.logits); },
          "float32 [classes]; [tokens * classes] where every token has logits; else the features.")
      .def_property_readonly(
          "top",
          [](const Classification& c) {
            std::vector<std::tuple<int, std::string, float>> top;
            for (const Guess& g : c.top) top.emplace_back(g.label, g.name, g.probability);
            return top;
          },
          "[(class, label, probability), ...], best first.")
      .def_property_readonly(
          "trace", [](const Classification& c) { return c.output.trace; }, "RetentionTrace.")
      .def_property_readonly(
          "layers", [](const Classification& c) { return layers_array(c.output.layers); },
          "int64 [depth, 3]: rows in attention, queries and MLP of every block.")
      .def_property_readonly(
          "macs", [](const Classification& c) { return c.output.macs.total(); },
          "Multiply-accumulates executed for the input.")
      .def_property_readonly("macs_by_kind",
                             [](const Classification& c) { return macs_dict(c.output.macs); });
  py::class_<BudgetChoice>(m, "Choice", "The density for a budget.")
      .def_readonly("recipe", &BudgetChoice::recipe, "The calibrated recipe at it, or dense.")
      .def_readonly("density", &BudgetChoice::density, "None for dense.")
      .def_readonly("reason", &BudgetChoice::reason, "In words.")
      .def("__repr__", [](const BudgetChoice& c) { return "<Choice " + c.reason + ">"; });
  py::class_<Classifier>(m, "Classifier", "A loaded model folder; thread-safe.")
      .def_property_readonly("config",
                             [](const Classifier& c) { return config_dict(c.vit().config()); })
      .def_property_readonly(
          "num_predictors", [](const Classifier& c) { return c.vit().num_predictors(); },
          "Sites that the folder's predictors were trained for, 0 without any.")
      .def_property_readonly(
          "preprocessing",
          [](const Classifier& c) { return preprocessing_dict(c.folder().preprocessing); })
      .def_property_readonly("labels", [](const Classifier& c) { return c.folder().labels; })
      .def_property_readonly(
          "provenance", [](const Classifier& c) { return c.folder().provenance; },
          "sieve.json's provenance as JSON text, or ''.")
      .def_property_readonly("recipe", [](const Classifier& c) { return c.default_recipe(); })
      .def_property_readonly(
          "recipe_text", [](const Classifier& c) { return c.folder().recipe; },
          "The same as the folder has it.")
      .def_property_readonly(
          "machine", [](const Classifier& c) { return machine_dict(c.machine()); },
          "The machine as a call uses it: what latencies hold for.")
      .def_property_readonly(
          "calibrations",
          [](const Classifier& c) { return calibration_texts(c.folder().calibrations); },
          "sieve.json's calibrations, each as JSON text.")
      .def("within", &within<Classifier>, py::arg("recipe") = std::nullopt, py::kw_only(),
           py::arg("macs") = std::nullopt, py::arg("latency_ms") = std::nullopt,
           py::arg("agree") = std::nullopt,
           "The recipe at the density that fits a budget, by the folder's calibrations.")
      .def(
          "resize_and_crop",
          [](const Classifier& c, const Array<uint8_t>& array) {
            const Image image = to_image(array);
            return from_image(
                without_gil([&] { return resize_and_crop(image, c.folder().preprocessing); }));
          },
          py::arg("image"), "uint8 [H, W, 3]: the picture as the network sees it.")
      .def(
          "normalize",
          [](const Classifier& c, const Array<uint8_t>& array) {
            const Image image = to_image(array);
            const Preprocessing& how = c.folder().preprocessing;
            py::array_t<float> pixels({3, how.height, how.width});
            const std::span<float> out(pixels.mutable_data(), static_cast<size_t>(pixels.size()));
            without_gil([&] { normalize(image, how, out); });
            return pixels;
          },
          py::arg("image"), "What resize_and_crop gave to the network's input, float32 [3, H, W].")
      .def("run", &run, py::arg("pixels"), py::arg("recipe") = std::nullopt,
           "Outputs for float32 arrays [3, H, W], each height and width a multiple of the patch.");
  m.def("save_calibration", &save, py::arg("folder"), py::arg("recipe"), py::arg("samples"),
        py::arg("dense"), py::arg("steps"), py::arg("machine"), py::arg("milliseconds"),
        "Puts a calibration into a folder's sieve.json and returns it as JSON text. `dense` is "
        "(macs, correct or None), a step (density, macs, agreed, correct or None); `milliseconds` "
        "are (median, low, high) of dense, then of each step, on `machine`, or none.");
}

}  // namespace tokensieve::python
