#pragma once

#include "aligned_buffer.h"
#include "attention_record.h"
#include "kernels/attention.h"
#include "onednn/linear.h"
#include "tokensieve/core/attention_masks.h"
#include "tokensieve/core/retention_trace.h"
#include "tokensieve/core/row_columns.h"
#include "tokensieve/engine/workspace.h"

namespace tokensieve {

struct Workspace::Buffers {
  AlignedBuffer state, next_state, normed, qkv, attended, hidden, predictor_means, parked,
      scratchpad;
  AlignedBuffer maps[2];  ///< Of a convolution stem.
  AttentionScratch attention;
  AttentionRecord record;
  RowColumns columns;
  std::vector<float> key_bias;  ///< Logarithms of the sizes of the rows.
  Neighbourhoods neighbourhoods;
  NeighbourTables neighbour_tables;
  TraceRecorder recorder;
  int64_t executed_macs = 0;  ///< Of the last run, counted at every call of a kernel.

  /// Runs a linear on `x` into `to`, whose rows it returns, and counts it. `to` must not hold `x`.
  RowsView<float> linear(const Linear& linear, RowsView<const float> x, AlignedBuffer& to,
                         Epilogue epilogue);
};

}  // namespace tokensieve
