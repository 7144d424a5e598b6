#include "tokensieve/nn/label_maps.h"

#include <algorithm>
#include <cmath>

#include "pixels_of.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/safetensors.h"
#include "tokensieve/nn/autocast.h"

namespace tokensieve::nn {
namespace {

/// `[B, count, size]`: what a cell of a line of `count` cells on the box from `ends[b][0]` to
/// `ends[b][1]` takes of each cell of a map's line. RoIAlign is a product of two of these: its
/// points are a grid, and bilinear interpolation is linear along each line.
torch::Tensor line_weights(const torch::Tensor& ends, int64_t size, int64_t count) {
  const torch::Tensor values = ends.to(torch::kCPU, torch::kDouble).contiguous();
  const auto end = values.accessor<double, 2>();
  torch::Tensor weights = torch::zeros({values.size(0), count, size});
  auto weight = weights.accessor<float, 3>();
  const auto last = static_cast<double>(size - 1);
  for (int64_t b = 0; b < values.size(0); ++b) {
    const double cell = (end[b][1] - end[b][0]) / static_cast<double>(count);
    const auto points = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(cell)));
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t p = 0; p < points; ++p) {
        const double inside = (static_cast<double>(p) + 0.5) / static_cast<double>(points);
        const double place = end[b][0] - 0.5 + (static_cast<double>(i) + inside) * cell;
        const double at = std::clamp(place, 0.0, last);
        const auto low = static_cast<int64_t>(at);
        const double part = at - static_cast<double>(low);
        weight[b][i][low] += static_cast<float>((1 - part) / static_cast<double>(points));
        if (low + 1 < size) {
          weight[b][i][low + 1] += static_cast<float>(part / static_cast<double>(points));
        }
      }
    }
  }
  return weights;
}

/// The crop's box in cells of a map of height x width.
torch::Tensor boxes_of(std::span<const Crop> crops, int64_t height, int64_t width) {
  torch::Tensor boxes = torch::empty({std::ssize(crops), 4}, torch::kDouble);
  auto box = boxes.accessor<double, 2>();
  for (int64_t b = 0; b < std::ssize(crops); ++b) {
    const auto& [part, picture_width, picture_height, flipped] = crops[static_cast<size_t>(b)];
    const double down = static_cast<double>(height) / picture_height;
    const double across = static_cast<double>(width) / picture_width;
    box[b][0] = part.top * down;
    box[b][1] = part.left * across;
    box[b][2] = (part.top + part.height) * down;
    box[b][3] = (part.left + part.width) * across;
  }
  return boxes;
}

torch::Tensor index_of(std::span<const int64_t> pictures) {
  return torch::tensor(std::vector<int64_t>(pictures.begin(), pictures.end()));
}

/// `[B, 2, top, H, W]`, float16 on the CPU.
torch::Tensor map_of(Vit& annotator, const Batch& batch, int64_t top, torch::Device device,
                     bool bf16) {
  const VitConfig& config = annotator->config();
  torch::NoGradGuard guard;
  torch::Tensor logits;
  {
    const Autocast autocast(device, bf16);
    const torch::Tensor rows = annotator->features(pixels_of(batch, config, device));
    logits = annotator->patch_logits(rows.slice(1, config.num_prefix_tokens()));
  }
  const auto [scores, ids] =
      logits.to(torch::kCPU, torch::kFloat)
          .transpose(1, 2)
          .reshape({batch.size(), config.num_classes, config.grid_height(), config.grid_width()})
          .topk(top, 1);
  return torch::stack({scores, ids.to(torch::kFloat)}, 1).to(torch::kHalf);
}

}  // namespace

LabelMaps::LabelMaps(torch::Tensor maps, int64_t classes)
    : maps_(std::move(maps)), classes_(classes) {
  check_argument(classes >= 1 && classes <= kMaxClasses, "[label_maps] expected 1 to ", kMaxClasses,
                 " classes, got ", classes);
  check_argument(maps_.dim() == 5 && maps_.size(1) == 2 && maps_.size(2) >= 1 &&
                     maps_.size(2) <= classes && maps_.numel() > 0 &&
                     maps_.scalar_type() == torch::kHalf,
                 "[label_maps] expected float16 maps [pictures, 2, 1 to ", classes, ", H, W], got ",
                 maps_.sizes());
  const torch::Tensor scores = maps_.select(1, 0), ids = maps_.select(1, 1);
  check_argument(torch::isfinite(scores).all().item<bool>() &&
                     (ids.ge(0).logical_and(ids.lt(static_cast<double>(classes))))
                         .logical_and(ids.eq(ids.floor()))
                         .all()
                         .item<bool>(),
                 "[label_maps] expected finite logits and classes 0 to ", classes - 1,
                 ", got others");
}

LabelMaps LabelMaps::select(std::span<const int64_t> pictures) const {
  LabelMaps chosen;
  chosen.maps_ = maps_.index_select(0, index_of(pictures));
  chosen.classes_ = classes_;
  return chosen;
}

torch::Tensor LabelMaps::labels(std::span<const int64_t> pictures, std::span<const Crop> crops,
                                int64_t height, int64_t width) const {
  check_argument(crops.empty() || crops.size() == pictures.size(),
                 "[label_maps] expected a crop for each of ", pictures.size(), " pictures, got ",
                 crops.size());
  const torch::Tensor own = maps_.index_select(0, index_of(pictures));
  const int64_t batch = own.size(0), rows = own.size(3), columns = own.size(4);
  const torch::Tensor logits =
      torch::zeros({batch, classes_, rows, columns})
          .scatter_(1, own.select(1, 1).to(torch::kLong), own.select(1, 0).to(torch::kFloat));
  const std::vector<Crop> whole(crops.empty() ? pictures.size() : 0,
                                Crop{{0, 0, 1, 1}, 1, 1, false});
  const std::span<const Crop> shown = crops.empty() ? std::span<const Crop>(whole) : crops;
  torch::Tensor labels =
      roi_align(logits, boxes_of(shown, rows, columns), height, width).softmax(1);
  std::vector<int64_t> flipped;
  for (size_t b = 0; b < shown.size(); ++b) {
    if (shown[b].flipped) flipped.push_back(static_cast<int64_t>(b));
  }
  if (!flipped.empty()) {
    const torch::Tensor index = index_of(flipped);
    labels.index_copy_(0, index, labels.index_select(0, index).flip({3}));
  }
  return labels.flatten(2).transpose(1, 2);
}

torch::Tensor roi_align(const torch::Tensor& maps, const torch::Tensor& boxes, int64_t height,
                        int64_t width) {
  check_argument(maps.dim() == 4 && boxes.dim() == 2 && boxes.size(0) == maps.size(0) &&
                     boxes.size(1) == 4 && height >= 1 && width >= 1,
                 "[roi_align] expected maps [B, K, H, W], boxes [B, 4] and a grid of at least 1 x "
                 "1, got ",
                 maps.sizes(), ", ", boxes.sizes(), " and ", height, " x ", width);
  const auto side = [&](int64_t from, int64_t size, int64_t count) {
    const torch::Tensor ends = torch::stack({boxes.select(1, from), boxes.select(1, from + 2)}, 1);
    return line_weights(ends, size, count).to(maps.device(), maps.scalar_type()).unsqueeze(1);
  };
  const torch::Tensor down = side(0, maps.size(2), height), across = side(1, maps.size(3), width);
  return torch::matmul(torch::matmul(down, maps), across.transpose(2, 3));
}

torch::Tensor smoothed_labels(const torch::Tensor& labels, double eps) {
  const double off = eps / static_cast<double>(labels.size(-1));
  return labels * (1 - eps + off) + off;
}

LabelMaps annotate(Vit annotator, ImageLoader& loader, int64_t top, torch::Device device, bool bf16,
                   const std::function<void(size_t pictures)>& on_batch) {
  const VitConfig& config = annotator->config();
  check_argument(config.num_classes >= 1 && config.num_classes <= LabelMaps::kMaxClasses,
                 "[label_maps] expected an annotator of 1 to ", LabelMaps::kMaxClasses,
                 " classes, got ", config.num_classes);
  check_argument(top >= 1, "[label_maps] expected at least 1 class of each place, got ", top);
  top = std::min<int64_t>(top, config.num_classes);
  annotator->to(device);
  annotator->eval();
  std::vector<torch::Tensor> maps;
  for (loader.seek(0); loader.step() < loader.steps_per_epoch();) {
    const Batch batch = loader.next();
    maps.push_back(map_of(annotator, batch, top, device, bf16));
    if (on_batch) on_batch(static_cast<size_t>(batch.size()));
  }
  return {torch::cat(maps), config.num_classes};
}

void save_label_maps(const std::filesystem::path& path, const LabelMaps& maps,
                     const std::string& fingerprint) {
  const torch::Tensor values = maps.maps().contiguous();
  const auto* const bytes = static_cast<const std::byte*>(values.const_data_ptr());
  const TensorData data{"maps", DType::F16, values.sizes().vec(),
                        std::span(bytes, values.nbytes())};
  write_safetensors(path, std::span(&data, 1), {{"fingerprint", fingerprint}});
}

LabelMaps load_label_maps(const std::filesystem::path& path, int64_t classes,
                          const std::string& fingerprint) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const auto found = file.metadata().find("fingerprint");
  check_runtime(found != file.metadata().end() && found->second == fingerprint, "[label_maps] ",
                path.string(),
                " is of another teacher or other pictures; choose another file or remove it");
  const TensorInfo& info = file.info("maps");
  check_runtime(info.dtype == DType::F16, "[label_maps] ", path.string(),
                ": expected 'maps' in F16, got ", dtype_name(info.dtype));
  torch::Tensor maps = torch::empty(info.shape, torch::kHalf);
  file.read("maps", std::span(static_cast<std::byte*>(maps.mutable_data_ptr()), maps.nbytes()));
  try {
    return {std::move(maps), classes};
  } catch (const std::invalid_argument& error) {
    fail_runtime(path.string(), ": ", error.what());
  }
}

}  // namespace tokensieve::nn
