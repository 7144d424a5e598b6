#pragma once

#include <opencv2/core.hpp>

namespace tokensieve::drawing {

/// Makes the pixels under `mask` dark and grey: tokens that have left.
void dim(cv::Mat3b& picture, const cv::Mat1b& mask);

/// Makes the pixels under `mask` grey and a little darker: tokens that leave inside attention,
/// where their keys and values are read once more.
void fade(cv::Mat3b& picture, const cv::Mat1b& mask);

/// Draws light slanting lines over the pixels under `mask`: tokens that share a row. `unit` is the
/// size of lines, 1 for a picture 280 pixels wide.
void hatch(cv::Mat3b& picture, const cv::Mat1b& mask, double unit);

}  // namespace tokensieve::drawing
