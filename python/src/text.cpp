#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <limits>

#include "budget.h"
#include "numpy.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/macs.h"
#include "tokensieve/engine/text_classifier.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace tokensieve::python {
namespace {

py::dict config_dict(const BertConfig& c) {
  return py::dict("name"_a = c.name, "vocab_size"_a = c.vocab_size,
                  "max_positions"_a = c.max_positions, "type_vocab_size"_a = c.type_vocab_size,
                  "embed_dim"_a = c.embed_dim, "head_dim"_a = c.head_dim,
                  "num_heads"_a = c.num_heads, "mlp_dim"_a = c.mlp_dim, "depth"_a = c.depth(),
                  "head"_a = to_string(c.head), "num_classes"_a = c.num_classes,
                  "num_prefix_tokens"_a = 1,
                  "pooling"_a = c.pooling == TextPooling::mean ? "mean" : "class_token",
                  "normalize"_a = c.normalize, "exits"_a = c.exits,
                  "contributions"_a = c.contributions, "layer_norm_eps"_a = c.layer_norm_eps);
}

std::span<const int32_t> values_of(const Array<int32_t>& array, const char* what) {
  check_argument(array.ndim() == 1, "[run] expected int32 arrays of ", what, " [tokens], got ",
                 shape_text(array));
  return {array.data(), static_cast<size_t>(array.size())};
}

std::vector<Classification> run(const TextClassifier& model, const std::vector<Array<int32_t>>& ids,
                                const std::vector<Array<int32_t>>& types,
                                const std::optional<Recipe>& recipe) {
  check_argument(types.empty() || types.size() == ids.size(), "[run] expected types for each of ",
                 ids.size(), " texts or none, got ", types.size());
  std::vector<TokensView> texts;
  for (size_t i = 0; i < ids.size(); ++i) {
    texts.push_back({values_of(ids[i], "ids"), {}});
    if (!types.empty()) texts.back().types = values_of(types[i], "types");
  }
  return without_gil([&] { return model.classify(texts, recipe); });
}

/// A Classifier or a TextClassifier, as the folder is.
py::object load(const std::filesystem::path& path, int threads, int top) {
  // Python cuts batches itself, before reading.
  const ClassifierOptions options = {
      .threads = threads, .top = top, .batch = std::numeric_limits<int>::max()};
  ModelFolder folder = without_gil([&] { return open_model_folder(path); });
  if (folder.bert) {
    return py::cast(without_gil([&] { return TextClassifier(std::move(folder), options); }));
  }
  return py::cast(without_gil([&] { return Classifier(std::move(folder), options); }));
}

}  // namespace

void register_text(py::module_& m) {
  py::class_<TextClassifier>(m, "TextClassifier", "A loaded text folder; thread-safe.")
      .def_property_readonly("config",
                             [](const TextClassifier& c) { return config_dict(c.bert().config()); })
      .def_property_readonly("labels", [](const TextClassifier& c) { return c.folder().labels; })
      .def_property_readonly(
          "provenance", [](const TextClassifier& c) { return c.folder().provenance; },
          "sieve.json's provenance as JSON text, or ''.")
      .def_property_readonly("recipe", [](const TextClassifier& c) { return c.default_recipe(); })
      .def_property_readonly(
          "recipe_text", [](const TextClassifier& c) { return c.folder().recipe; },
          "The same as the folder has it.")
      .def_property_readonly(
          "tokenizer",
          // pybind11 holds no pointers to const; all that it binds is const.
          [](const TextClassifier& c) {
            return std::const_pointer_cast<Tokenizer>(without_gil([&] { return c.tokenizer(); }));
          },
          "The folder's Tokenizer. Raises RuntimeError when it has none, or one that does not fit.")
      .def_property_readonly(
          "machine", [](const TextClassifier& c) { return machine_dict(c.machine()); },
          "The machine as a call uses it: what latencies hold for.")
      .def_property_readonly(
          "calibrations",
          [](const TextClassifier& c) { return calibration_texts(c.folder().calibrations); },
          "sieve.json's calibrations, each as JSON text.")
      .def("within", &within<TextClassifier>, py::arg("recipe") = std::nullopt, py::kw_only(),
           py::arg("macs") = std::nullopt, py::arg("latency_ms") = std::nullopt,
           py::arg("agree") = std::nullopt,
           "The recipe at the density that fits a budget, by the folder's calibrations.")
      .def(
          "dense_macs",
          [](const TextClassifier& c, int64_t num_tokens) {
            check_argument(num_tokens > 0 && num_tokens <= c.bert().config().max_positions,
                           "[dense_macs] expected 1 to ", c.bert().config().max_positions,
                           " tokens, got ", num_tokens);
            return count_dense_macs(c.bert().config(), num_tokens).total();
          },
          py::arg("num_tokens"), "Multiply-accumulates of the dense network on a text.")
      .def("run", &run, py::arg("ids"), py::arg("types") = std::vector<Array<int32_t>>(),
           py::arg("recipe") = std::nullopt,
           "Outputs for int32 arrays [tokens], special tokens included; types are 0 when not "
           "given.");
  m.def("load", &load, py::arg("folder"), py::arg("threads") = 0, py::arg("top") = 5,
        "A Classifier, or a TextClassifier of a text folder. Raises RuntimeError.");
}

}  // namespace tokensieve::python
