#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tokensieve/core/schedule.h"
#include "tokensieve/core/vit_config.h"
#include "tokensieve/engine/run_output.h"
#include "tokensieve/engine/workspace.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// One image as the network reads it: normalised float32, channels first, `[channels, height,
/// width]`. Height and width must be multiples of the patch size; any size is served, the position
/// table is interpolated as timm does it.
struct PixelsView {
  const float* data = nullptr;
  int height = 0;
  int width = 0;
};

struct VitImpl;

/// A ViT, DeiT, DINOv2 or LV-ViT network ready to run on packed ragged rows in float32: linears see
/// one `[sum of rows, C]` matrix, attention loops over samples and heads on their own rows, dropped
/// rows really leave. Immutable: one model serves many threads, each with a Workspace of its own.
class Vit {
 public:
  /// Reads and packs the weights, and the predictors for learned scores where there are any. Throws
  /// std::invalid_argument for a config that makes no sense and std::runtime_error for weights that
  /// do not fit it.
  Vit(VitConfig config, const WeightSource& weights, const WeightSource* predictors = nullptr);
  ~Vit();
  Vit(Vit&&) noexcept;
  Vit& operator=(Vit&&) noexcept;

  const VitConfig& config() const;
  /// Sites for which there is a predictor, 0 for a model without.
  int num_predictors() const;
  /// Throws std::invalid_argument when this network cannot run `schedule`, with the reason: a site
  /// after its last block, class attention without a class token, learned scores without a
  /// predictor for each site.
  void check(const Schedule& schedule) const;

  /// Runs a batch under `schedule` on `threads` threads (0: one a core). Images may differ in size
  /// and end with different counts of rows. Returns one output for each image, the same as it gets
  /// alone. Throws std::invalid_argument for an image whose size does not fit the patches or is
  /// larger than `kMaxPatches` patches, and as check() does.
  std::vector<RunOutput> run(std::span<const PixelsView> images, const Schedule& schedule,
                             Workspace& workspace, int threads = 0) const;

  /// Upper bound on the patches of an image (attention is quadratic in them).
  static constexpr int64_t kMaxPatches = 1 << 16;

 private:
  std::unique_ptr<const VitImpl> impl_;
};

}  // namespace tokensieve
