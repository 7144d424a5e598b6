#include "plot/frame.h"

#include "panel.h"

namespace tokensieve::drawing {

namespace {
constexpr Color kGrid{232, 234, 238};
constexpr Color kAxis{120, 128, 140};
}  // namespace

void add_axes(Scene& scene, const Frame& frame) {
  const TextStyle style = Metrics{}.note();
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.at(frame.x.low, tick.value).y;
    scene.shapes.push_back(Polyline{{{frame.left, y}, {frame.right, y}}, kGrid, 1.0});
    scene.shapes.push_back(
        Caption{{frame.left - 8.0, y + style.cap_height / 2}, tick.text, style, Anchor::end});
  }
  scene.shapes.push_back(
      Polyline{{{frame.left, frame.bottom}, {frame.right, frame.bottom}}, kAxis, 1.0});
  for (const Tick& tick : frame.x.ticks) {
    const double x = frame.at(tick.value, frame.y.low).x;
    scene.shapes.push_back(Polyline{{{x, frame.bottom}, {x, frame.bottom + 4.0}}, kAxis, 1.0});
    scene.shapes.push_back(
        Caption{{x, frame.bottom + 9.0 + style.cap_height}, tick.text, style, Anchor::middle});
  }
}

}  // namespace tokensieve::drawing
