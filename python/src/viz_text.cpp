#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "numpy.h"
#include "tokensieve/viz.h"

namespace py = pybind11;

namespace tokensieve::python {
namespace {

/// Everything a strip needs, held by value so that views into it stay valid.
struct TextPicture {
  ShownText shown;
  RetentionTrace trace;
  int depth;
  RetentionCaption caption;

  TextView view() const { return {shown.text, shown.tokens, trace, depth}; }
};

}  // namespace

void register_viz_text(py::module_& m) {
  py::class_<TextPicture>(m, "TextPicture", "One text, its trace and the words that go with them.")
      .def(py::init([](const py::bytes& text, const std::optional<py::bytes>& pair,
                       const Tokens& tokens, const RetentionTrace& trace, int depth,
                       const std::string& title, const std::string& recipe,
                       const std::vector<std::pair<std::string, double>>& top, int64_t macs) {
             RunSummary summary;
             for (const auto& [label, probability] : top)
               summary.top.push_back({label, probability});
             summary.macs = macs;
             TextSample sample{text};
             if (pair) sample.text_pair = std::string(*pair);
             return TextPicture{shown_text(sample, tokens),
                                trace,
                                depth,
                                {.title = title, .recipe = recipe, .dense = {}, .sieved = summary}};
           }),
           py::arg("text"), py::arg("pair"), py::arg("tokens"), py::arg("trace"), py::arg("depth"),
           py::arg("title"), py::arg("recipe"), py::arg("top"), py::arg("macs"),
           "`text` in UTF-8, the second one of a pair or None, `tokens` and `trace` of it, `depth` "
           "blocks of the network.")
      .def(
          "strip",
          [](const TextPicture& p, int width) {
            return from_image(without_gil(
                [&] { return draw_text_strip(p.view(), p.caption, {.width = width}); }));
          },
          py::arg("width") = 900,
          "uint8 [h, w, 3]: the words, the paler the earlier they left. Raises ValueError for a "
          "text of more than 20,000 bytes.")
      .def(
          "terminal",
          [](const TextPicture& p, bool color) {
            return without_gil([&] { return terminal_strip(p.view(), color); });
          },
          py::arg("color"), "The same for a terminal, in its colours or with numbers of blocks.");
  m.def(
      "text_html_report",
      [](const std::vector<TextPicture>& pictures, const std::string& title,
         const std::string& subtitle) {
        std::vector<TextReportEntry> entries;
        for (const TextPicture& picture : pictures) {
          entries.push_back({picture.view(), picture.caption});
        }
        return without_gil(
            [&] { return text_html_report(entries, {.title = title, .subtitle = subtitle}); });
      },
      py::arg("pictures"), py::arg("title") = "What the sieve kept", py::arg("subtitle") = "",
      "A self-contained HTML page of texts.");
}

}  // namespace tokensieve::python
