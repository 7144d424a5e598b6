#include "random_erasing.h"

#include <cmath>
#include <cstddef>

namespace tokensieve {
namespace {

constexpr int kTries = 10;

void fill_with_noise(std::span<float> chw, int height, int width, const Box& box, Random& random) {
  const auto row_length = static_cast<std::size_t>(width);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (int y = box.top; y < box.top + box.height; ++y) {
      const std::size_t row =
          channel * static_cast<std::size_t>(height) + static_cast<std::size_t>(y);
      for (float& value : chw.subspan(row * row_length + static_cast<std::size_t>(box.left),
                                      static_cast<std::size_t>(box.width))) {
        value = static_cast<float>(random.normal());
      }
    }
  }
}

}  // namespace

void erase_rectangle(std::span<float> chw, int height, int width, const Augmentation& augmentation,
                     Random& random) {
  const auto [flat, tall] = augmentation.erase_aspect;
  const double area = static_cast<double>(height) * width;
  for (int i = 0; i < kTries; ++i) {
    const double wanted =
        area * random.uniform(augmentation.erase_area[0], augmentation.erase_area[1]);
    const double aspect = std::exp(random.uniform(std::log(flat), std::log(tall)));
    const double h = std::nearbyint(std::sqrt(wanted * aspect));
    const double w = std::nearbyint(std::sqrt(wanted / aspect));
    if (h >= height || w >= width) continue;
    Box box{0, 0, static_cast<int>(w), static_cast<int>(h)};
    box.top = static_cast<int>(random.below(static_cast<std::uint32_t>(height - box.height + 1)));
    box.left = static_cast<int>(random.below(static_cast<std::uint32_t>(width - box.width + 1)));
    fill_with_noise(chw, height, width, box, random);
    return;
  }
}

}  // namespace tokensieve
