#pragma once

#include <span>

#include "tokensieve/data/augmentation.h"

namespace tokensieve {

/// Replaces a rectangle of `chw` [3, height, width] by normal noise: area and aspect are drawn up
/// to ten times, until the rectangle is smaller than the picture both ways; else nothing happens.
void erase_rectangle(std::span<float> chw, int height, int width, const Augmentation& augmentation,
                     Random& random);

}  // namespace tokensieve
