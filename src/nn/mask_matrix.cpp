#include "mask_matrix.h"

#include <array>

#include "tokensieve/core/row_columns.h"

namespace tokensieve::nn {

torch::Tensor mask_matrix(const VitConfig& config, const AttentionMasks& masks) {
  const int64_t prefix = config.num_prefix_tokens(), width = config.grid_width();
  const int64_t patches = config.grid_height() * width, rows = prefix + patches;
  const RaggedLayout layout = RaggedLayout::uniform(1, rows);
  RowColumns columns;
  columns.reset(layout, static_cast<int>(prefix));
  Neighbourhoods near;
  list_neighbourhoods(masks, layout, columns.origin(), static_cast<int>(prefix), std::array{width},
                      std::array{patches}, near);
  torch::Tensor mask = torch::zeros({rows, rows});
  for (int64_t row = 0; row < rows; ++row) {
    for (const int32_t key : near.of_row(row)) mask.data_ptr<float>()[row * rows + key] = 1.0f;
  }
  return mask;
}

}  // namespace tokensieve::nn
