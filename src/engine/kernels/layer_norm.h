#pragma once

#include <span>

#include "tokensieve/core/rows_view.h"

namespace tokensieve {

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over each row; statistics in float32, in
/// two passes. `y` may be `x`.
void layer_norm(RowsView<const float> x, RowsView<float> y, std::span<const float> weight,
                std::span<const float> bias, float eps);

/// The same in plain C++; the oracle of its tests.
void layer_norm_plain(RowsView<const float> x, RowsView<float> y, std::span<const float> weight,
                      std::span<const float> bias, float eps);

}  // namespace tokensieve
