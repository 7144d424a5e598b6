#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "tokensieve/data/image_loader.h"
#include "tokensieve/nn/vit.h"

namespace tokensieve::nn {

/// What an annotator, the teacher of token labels, sees where (arXiv 2104.10858): for each cell
/// of its last feature map, which covers the whole picture, the best classes and their logits.
class LabelMaps {
 public:
  LabelMaps() = default;
  /// `maps` `[pictures, 2, top, H, W]`, float16 as the authors store them: logits, then classes,
  /// which are exact up to 2,048. Throws std::invalid_argument for another shape, a class that is
  /// not 0 to `classes` - 1 or a logit that is not finite.
  LabelMaps(torch::Tensor maps, int64_t classes);

  const torch::Tensor& maps() const { return maps_; }
  int64_t pictures() const { return maps_.defined() ? maps_.size(0) : 0; }
  int64_t classes() const { return classes_; }
  /// The maps of these pictures, in that order.
  LabelMaps select(std::span<const int64_t> pictures) const;

  /// Labels `[B, height * width, classes]`, float32 of sum 1, of what `crops` `[B]` show of
  /// `pictures` `[B]`, on a grid of height x width: the crop of the map by roi_align, classes that
  /// were not stored with a logit of 0, softmax, mirrored where the picture was. Without crops, of
  /// whole pictures.
  torch::Tensor labels(std::span<const int64_t> pictures, std::span<const Crop> crops,
                       int64_t height, int64_t width) const;

  static constexpr int64_t kMaxClasses = 2048;

 private:
  torch::Tensor maps_;
  int64_t classes_ = 0;
};

/// RoIAlign (He et al., 2017): means over the cells of a height x width grid on a box of each map.
/// `maps` `[B, K, H, W]`; `boxes` `[B, 4]` are top, left, bottom and right in units of the maps'
/// cells, whose middles are at 0.5, 1.5, ... Cells are sampled at ceil(size) points a side, which
/// are interpolated bilinearly. Returns `[B, K, height, width]`.
torch::Tensor roi_align(const torch::Tensor& maps, const torch::Tensor& boxes, int64_t height,
                        int64_t width);

/// y (1 - eps + eps / K) + eps / K over K classes, as the authors have it: labels of sum 1 get a
/// sum of 1 + eps / K.
torch::Tensor smoothed_labels(const torch::Tensor& labels, double eps);

/// Runs `annotator` over one pass of `loader`, which gives whole pictures as the annotator reads
/// them, and keeps of VitImpl::patch_logits the `top` best classes of each patch (all, where there
/// are fewer). Throws std::invalid_argument unless it has 1 to 2,048 classes and top is at least 1.
LabelMaps annotate(Vit annotator, ImageLoader& loader, int64_t top, torch::Device device, bool bf16,
                   const std::function<void(size_t pictures)>& on_batch = {});

/// Writes maps as a safetensors file: `maps`, and `fingerprint` in the metadata. Throws
/// std::runtime_error.
void save_label_maps(const std::filesystem::path& path, const LabelMaps& maps,
                     const std::string& fingerprint);
/// Reads them back. Throws std::runtime_error when the file is damaged or its fingerprint another.
LabelMaps load_label_maps(const std::filesystem::path& path, int64_t classes,
                          const std::string& fingerprint);

}  // namespace tokensieve::nn
