#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "numpy.h"
#include "tokensieve/engine/classifier.h"
#include "tokensieve/viz.h"

namespace py = pybind11;

namespace tokensieve::python {
namespace {

/// Everything a picture needs, held by value so that views into it stay valid.
struct Picture {
  Image image;
  int grid_height, grid_width;
  RetentionTrace trace;
  RetentionCaption caption;

  RetentionView view() const { return {image, grid_height, grid_width, trace}; }
};

/// (method, whether a control, (accuracy, its low end, its high end), MACs, (batch, samples/s)
/// pairs)
using PointTuple = std::tuple<std::string, bool, std::array<double, 3>, double,
                              std::vector<std::pair<int, double>>>;

/// (title, pixels) pairs.
using Figures = std::vector<std::pair<std::string, Array<uint8_t>>>;

std::vector<TradeoffPoint> points_of(const std::vector<PointTuple>& tuples) {
  std::vector<TradeoffPoint> points;
  for (const auto& [method, control, accuracy, macs, samples_per_second] : tuples) {
    points.push_back({method,
                      control,
                      accuracy[0],
                      accuracy[1],
                      accuracy[2],
                      macs,
                      {samples_per_second.begin(), samples_per_second.end()}});
  }
  return points;
}

}  // namespace

void register_viz(py::module_& m) {
  py::class_<Picture>(m, "Picture", "One image, its trace and the words that go with them.")
      .def(py::init([](const Array<uint8_t>& image, std::pair<int, int> grid,
                       const RetentionTrace& trace, const std::string& title,
                       const std::string& recipe,
                       const std::vector<std::pair<std::string, double>>& top, int64_t macs) {
             RunSummary summary;
             for (const auto& [label, probability] : top)
               summary.top.push_back({label, probability});
             summary.macs = macs;
             return Picture{to_image(image),
                            grid.first,
                            grid.second,
                            trace,
                            {.title = title, .recipe = recipe, .dense = {}, .sieved = summary}};
           }),
           py::arg("image"), py::arg("grid"), py::arg("trace"), py::arg("title"), py::arg("recipe"),
           py::arg("top"), py::arg("macs"))
      .def(
          "strip",
          [](const Picture& p, int max_columns) {
            return from_image(without_gil(
                [&] { return draw_strip(p.view(), p.caption, {.max_columns = max_columns}); }));
          },
          py::arg("max_columns") = 6, "uint8 [h, w, 3]: the whole story in one picture.")
      .def(
          "overlay",
          [](const Picture& p, int site) {
            return from_image(without_gil([&] { return draw_overlay(p.view(), site); }));
          },
          py::arg("site") = -1, "uint8 [h, w, 3]: what was kept after a site; -1 is the input.")
      .def(
          "score_map",
          [](const Picture& p, int site) {
            return from_image(without_gil([&] { return draw_score_map(p.view(), site); }));
          },
          py::arg("site"), "uint8 [h, w, 3]: heat map of the scores at a site.")
      .def(
          "dropped_at_map",
          [](const Picture& p) {
            return from_image(without_gil([&] { return draw_dropped_at_map(p.view()); }));
          },
          "uint8 [h, w, 3]: the block at which each token left.")
      .def(
          "mask_map",
          [](const Picture& p, const Classifier& model, int query) {
            const VitConfig& network = model.vit().config();
            return from_image(without_gil(
                [&] { return draw_mask_map(p.view(), network.masks, network.num_heads, query); }));
          },
          py::arg("model"), py::arg("query") = -1,
          "uint8 [h, w, 3]: what one patch sees in every head of the blocks with masked heads "
          "(MaiT); -1 is one near the middle that stays.");
  m.def(
      "tradeoff_svg",
      [](const std::vector<PointTuple>& points, const std::string& sample) {
        return without_gil([&] { return plot_svg(tradeoff_plots(points_of(points), sample)); });
      },
      py::arg("points"), py::arg("sample") = "image",
      "Accuracy over MACs and samples/s as an SVG document. A point is (method, is_control, "
      "(accuracy, low, high), macs, [(batch, samples_per_second)]).");
  m.def(
      "tradeoff_picture",
      [](const std::vector<PointTuple>& points, const std::string& sample) {
        return from_image(
            without_gil([&] { return draw_plot(tradeoff_plots(points_of(points), sample)); }));
      },
      py::arg("points"), py::arg("sample") = "image", "The same as uint8 [h, w, 3].");
  m.def(
      "write_png",
      [](const std::filesystem::path& path, const Array<uint8_t>& array) {
        const Image image = to_image(array);
        without_gil([&] { write_png(path, image); });
      },
      py::arg("path"), py::arg("image"), "Writes uint8 [h, w, 3] as PNG, whole or not at all.");
  m.def(
      "encode_png",
      [](const Array<uint8_t>& array) {
        const Image image = to_image(array);
        const auto bytes = without_gil([&] { return encode_png(image); });
        return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      },
      py::arg("image"), "The bytes of a PNG file with these pixels.");
  m.def(
      "html_report",
      [](const std::vector<Picture>& pictures, const std::string& title,
         const std::string& subtitle, const std::vector<Figures>& figures) {
        std::vector<ReportEntry> entries;
        for (const Picture& picture : pictures)
          entries.push_back({picture.view(), picture.caption});
        for (size_t i = 0; i < std::min(entries.size(), figures.size()); ++i) {
          for (const auto& [name, pixels] : figures[i]) {
            entries[i].figures.push_back({name, to_image(pixels)});
          }
        }
        return without_gil(
            [&] { return html_report(entries, {.title = title, .subtitle = subtitle}); });
      },
      py::arg("pictures"), py::arg("title") = "What the sieve kept", py::arg("subtitle") = "",
      py::arg("figures") = std::vector<Figures>(),
      "A self-contained HTML page; `figures` has (title, uint8 [h, w, 3]) pairs to show under each "
      "picture.");
}

}  // namespace tokensieve::python
