#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tokensieve/core/macs.h"
#include "tokensieve/core/retention_trace.h"
#include "tokensieve/core/schedule.h"
#include "tokensieve/core/vit_config.h"
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

/// What one sample of a run gives.
struct VitOutput {
  std::vector<float> logits;        ///< `[num_classes]`, or the pooled features `[embed_dim]`.
  RetentionTrace trace;             ///< Which tokens stayed, site by site.
  std::vector<LayerTokens> layers;  ///< Rows in every block.
  MacCount macs;                    ///< Multiply-accumulates executed for this sample.
};

struct VitImpl;
class Workspace;

/// A ViT, DeiT, DINOv2 or LV-ViT network ready to run on packed ragged rows in float32: linears see
/// one
/// `[sum of rows, C]` matrix, attention loops over samples and heads on their own rows, dropped
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
  /// behind its last block, class attention without a class token, learned scores without a
  /// predictor for each site.
  void check(const Schedule& schedule) const;

  /// Runs a batch under `schedule` on `threads` threads (0: one a core). Images may differ in size
  /// and end with different counts of rows. Returns one output for each image, the same as it gets
  /// alone. Throws std::invalid_argument for an image whose size does not fit the patches or is
  /// larger than `kMaxPatches` patches, and as check() does.
  std::vector<VitOutput> run(std::span<const PixelsView> images, const Schedule& schedule,
                             Workspace& workspace, int threads = 0) const;

  /// Upper bound on the patches of an image (attention is quadratic in them).
  static constexpr int64_t kMaxPatches = 1 << 16;
  /// Upper bound on the threads of a call.
  static constexpr int kMaxThreads = 1024;

 private:
  std::unique_ptr<const VitImpl> impl_;
};

/// Buffers of one caller of Vit::run; they grow to what a run needs and are reused afterwards, so a
/// warm run allocates no activations. Not for two threads at once.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  /// Bytes held at present.
  size_t bytes() const;
  /// Multiply-accumulates of the last run, summed call by call as the kernels ran.
  int64_t executed_macs() const;

  struct Buffers;
  Buffers& buffers() { return *buffers_; }

 private:
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace tokensieve
