#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "numpy.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/core/retention_trace.h"

namespace py = pybind11;

namespace tokensieve::python {
namespace {

std::string_view fate_name(Fate fate) {
  switch (fate) {
    case Fate::kept:
      return "kept";
    case Fate::merged:
      return "merged";
    case Fate::fused:
      return "fused";
    default:
      return "dropped";
  }
}

// An array as its neighbours are, so that it compares token by token.
py::object fates(const SiteTrace& trace) {
  py::list names;
  for (const Fate fate : trace.fate) names.append(fate_name(fate));
  return py::module_::import("numpy").attr("array")(names, "U7");
}

void register_trace(py::module_& m) {
  py::class_<SiteTrace>(m, "SiteTrace", "The input tokens of one image or text after one site.")
      .def_property_readonly(
          "site", [](const SiteTrace& t) { return to_string(t.site); },
          "Where: for example 'after_attention:3'.")
      .def_property_readonly(
          "layer", [](const SiteTrace& t) { return t.site.layer; }, "Block of the site, from 0.")
      .def_readonly("rows", &SiteTrace::rows, "Rows that are left, prefix rows included.")
      .def_property_readonly(
          "row", [](const SiteTrace& t) { return to_numpy(t.row); },
          "int32 [tokens]: the row each token is in, prefix rows counted; -1 when dropped.")
      .def_property_readonly(
          "weight", [](const SiteTrace& t) { return to_numpy(t.weight); },
          "float32 [tokens]: its weight in that row; 0 when dropped.")
      .def_property_readonly(
          "score", [](const SiteTrace& t) { return to_numpy(t.score); },
          "float32 [tokens]: score of its row at this site; NaN when it had none.")
      .def_readonly("score_name", &SiteTrace::score_name,
                    "What the scores are: for example 'keep probability'.")
      .def_property_readonly(
          "draws", [](const SiteTrace& t) { return to_numpy(t.draws); },
          "int32 [tokens]: how often a method that samples (ATS) drew its row; empty for others.")
      .def_property_readonly("fate", &fates,
                             "str [tokens]: 'kept', 'merged', 'fused' or 'dropped'.")
      .def_property_readonly(
          "origin", [](const SiteTrace& t) { return to_numpy(t.origin); },
          "int32 [rows]: the token at whose place each row stands; prefix rows have -1, -2, ...")
      .def("__repr__", [](const SiteTrace& t) {
        return "<SiteTrace " + to_string(t.site) + ", " + std::to_string(t.rows) + " rows>";
      });
  py::class_<RetentionTrace>(m, "RetentionTrace",
                             "Which input token of one image or text is where after each site.")
      .def_readonly("num_tokens", &RetentionTrace::num_tokens, "Input tokens, prefix not counted.")
      .def_readonly("num_prefix_tokens", &RetentionTrace::num_prefix_tokens)
      .def_readonly("sites", &RetentionTrace::sites, "SiteTrace in order of execution.")
      .def_readonly("exit_layer", &RetentionTrace::exit_layer,
                    "Block after which the sample exited, -1 when it went to the end.")
      .def(
          "kept_indices",
          [](const RetentionTrace& t, int site) { return to_numpy(t.kept_indices(site)); },
          py::arg("site") = -1,
          "int32: ascending input tokens with a row of their own after a site; -1 is the last one.")
      .def(
          "dropped_at", [](const RetentionTrace& t) { return to_numpy(t.dropped_at()); },
          "int32 [tokens]: block at which each token lost its own row, -1 when it never did.")
      .def("__repr__", [](const RetentionTrace& t) {
        return "<RetentionTrace of " + std::to_string(t.num_tokens) + " tokens, " +
               std::to_string(t.sites.size()) + " sites>";
      });
}

}  // namespace

void register_core(py::module_& m) {
  py::class_<Recipe>(m, "Recipe", R"doc(A whole method as a string that round-trips.

Short: "dense", "dynamicvit(keep=0.7, sites=3/6/9)", "dynamicvit(threshold=0.5)",
"evit(keep=0.7, fuse)", "evit(mass=0.9, sites=3/6/9)", "sait(keep=0.46)", "tome(r=13)", "ats(keep=1)",
"ltp(threshold=0.01)"; recipe_words("method") has all names.
Long: "score=cls_attention | select=top_k(0.7, of=present, round=ceil) | drop=fuse |
at=after_attention:3/6/9". Raises ValueError with the nearest known word.)doc")
      .def(py::init([](const std::string& text) { return Recipe::parse(text); }), py::arg("text"))
      .def("__str__", &Recipe::str)
      .def("__repr__", [](const Recipe& r) { return "Recipe('" + r.str() + "')"; })
      .def("__eq__",
           [](const Recipe& a, const py::object& b) {
             return py::isinstance<Recipe>(b) && a == b.cast<const Recipe&>();
           })
      .def("__hash__", [](const Recipe& r) { return std::hash<std::string>()(r.str()); })
      .def_property_readonly("is_dense", &Recipe::is_dense)
      .def_property_readonly(
          "density_key", &Recipe::density_key,
          "'keep', 'threshold', 'mass' or 'r', or that of an exit alone; '' when dense.")
      .def_property_readonly("density", &Recipe::density,
                             "Its value as text: '0.7', or a number for each site, '0.9/0.8/0.7'.")
      .def_property_readonly("exit_key", &Recipe::exit_key,
                             "'entropy', 'confidence' or 'patience'; '' without an exit.")
      .def("with_density", &Recipe::with, py::arg("key"), py::arg("value"),
           "The same recipe at another density. Raises ValueError when it has no such number.");
  m.def("recipe_words", &recipe_words, py::arg("part"),
        "Names a recipe can use, by part: 'method', 'score', 'select', 'drop', 'reduce', 'at', "
        "'exit'.");
  m.def("method_name", &method_name, py::arg("text"),
        "A recipe's text without its density: 'evit(keep=0.7, fuse)' gives 'evit(fuse)'.");
  m.def(
      "did_you_mean",
      [](const std::string& word, const std::vector<std::string>& known) {
        return did_you_mean(word, known);
      },
      py::arg("word"), py::arg("known"), "\" (did you mean 'x'?)\" or \"\".");
  register_trace(m);
}

}  // namespace tokensieve::python
