#include <cmath>

#include "html_text.h"
#include "number_text.h"
#include "plot/scene.h"

namespace tokensieve::drawing {

namespace {

constexpr double kCapitalShare = 0.716;  // height of a capital in common sans-serif fonts
constexpr double kBoldFrom = 0.16;       // TextStyle::weight

/// With one decimal at most; a tenth of a pixel is below what can be seen.
std::string number(double value) {
  std::string text = fixed_text(value, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string hex(Color color) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "#";
  for (const uint8_t part : {color.red, color.green, color.blue}) {
    text += kDigits[part >> 4];
    text += kDigits[part & 15];
  }
  return text;
}

std::string path(const std::vector<Point>& points) {
  std::string text;
  for (const Point& point : points) {
    text += (text.empty() ? "M" : "L") + number(point.x) + " " + number(point.y);
  }
  return text;
}

std::string opacity(double value) {
  return value < 1.0 ? " opacity=\"" + number_text(value) + "\"" : "";
}

std::string element(const Polyline& line) {
  std::string text = "<path d=\"" + path(line.points) + "\" fill=\"none\" stroke=\"" +
                     hex(line.color) + "\" stroke-width=\"" + number_text(line.width) +
                     "\" stroke-linejoin=\"round\" stroke-linecap=\"round\"";
  if (line.dashed) {
    // Round ends reach half a width into the gap on either side.
    text += " stroke-dasharray=\"" + number((kDash - 1) * line.width) + " " +
            number((kGap + 1) * line.width) + "\"";
  }
  return text + opacity(line.opacity) + "/>\n";
}

std::string element(const Polygon& polygon) {
  return "<path d=\"" + path(polygon.points) + "Z\" fill=\"" + hex(polygon.color) + "\"" +
         opacity(polygon.opacity) + "/>\n";
}

std::string element(const Caption& caption) {
  constexpr std::string_view kAnchors[] = {"start", "middle", "end"};
  std::string text = "<text x=\"" + number(caption.at.x) + "\" y=\"" + number(caption.at.y) +
                     "\" font-size=\"" + number(caption.style.cap_height / kCapitalShare) +
                     "\" fill=\"" + hex(caption.style.color) + "\"";
  if (caption.anchor != Anchor::start) {
    text += " text-anchor=\"";
    text += kAnchors[static_cast<int>(caption.anchor)];
    text += '"';
  }
  if (caption.style.weight >= kBoldFrom) text += " font-weight=\"600\"";
  return text + ">" + escape_html(caption.text) + "</text>\n";
}

}  // namespace

std::string scene_svg(const Scene& scene) {
  const std::string width = std::to_string(scene.width);
  const std::string height = std::to_string(scene.height);
  std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" +
                     height + "\" viewBox=\"0 0 " + width + " " + height +
                     "\" role=\"img\" font-family=\"Helvetica, Arial, 'Liberation Sans', "
                     "sans-serif\">\n<title>" +
                     escape_html(scene.title) +
                     "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  for (const Shape& shape : scene.shapes) {
    text += std::visit([](const auto& one) { return element(one); }, shape);
  }
  return text + "</svg>\n";
}

}  // namespace tokensieve::drawing
