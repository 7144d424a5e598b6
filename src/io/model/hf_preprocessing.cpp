#include <algorithm>
#include <cmath>

#include "model/hf_config.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr int kMaxImageSide = 16384;

struct Sides {
  int height;
  int width;
};

int side_of(const JsonObject& size, std::string_view key) {
  return static_cast<int>(size.integer(key, 1, kMaxImageSide));
}

/// `key` as {height, width}, or as one number: both sides.
Sides sides(const JsonObject& config, std::string_view key) {
  if (config.get(key).is_number()) {
    const int side = side_of(config, key);
    return {side, side};
  }
  const JsonObject size = config.object(key);
  return {side_of(size, "height"), side_of(size, "width")};
}

bool flag_or(const JsonObject& config, std::string_view key, bool otherwise) {
  return config.has(key) ? config.flag(key) : otherwise;
}

/// The share that makes floor(crop / share) exactly `resized`.
double crop_share(int crop, int resized) {
  double share = static_cast<double>(crop) / resized;
  while (std::floor(crop / share) < resized) share = std::nextafter(share, 0.0);
  return share;
}

Interpolation interpolation_of(const JsonObject& config) {
  switch (config.integer("resample", 0, 5)) {  // PIL's numbers
    case 1:
      return Interpolation::lanczos;
    case 2:
      return Interpolation::bilinear;
    case 3:
      return Interpolation::bicubic;
    default:
      config.fail("resample", "1 (Lanczos), 2 (bilinear) or 3 (bicubic)");
  }
}

void check_supported(const JsonObject& config) {
  if (!flag_or(config, "do_resize", true)) config.fail("do_resize", "true");
  if (!flag_or(config, "do_rescale", true)) config.fail("do_rescale", "true");
  const bool plain = !config.has("rescale_factor") ||
                     std::abs(config.number("rescale_factor", 0, 1) * 255 - 1) < 1e-6;
  if (!plain) config.fail("rescale_factor", "1 / 255");
}

/// Sets size, crop_pct and crop_mode.
void read_geometry(const JsonObject& config, bool number_is_shortest_edge, Preprocessing& found) {
  const bool crops = flag_or(config, "do_center_crop", false);
  const bool keeps_aspect = config.get("size").is_number()
                                ? number_is_shortest_edge
                                : config.object("size").has("shortest_edge");
  if (keeps_aspect) {
    const int resized = config.get("size").is_number()
                            ? side_of(config, "size")
                            : side_of(config.object("size"), "shortest_edge");
    if (!crops) config.fail("do_center_crop", "true where size is a shortest edge");
    const Sides crop = sides(config, "crop_size");
    if (crop.height != crop.width) config.fail("crop_size", "square where size is a shortest edge");
    found.height = found.width = crop.height;
    found.crop_mode = CropMode::center;
    found.crop_pct = crop_share(crop.height, resized);
    return;
  }
  const Sides resized = sides(config, "size");
  const Sides crop = crops ? sides(config, "crop_size") : resized;
  found.height = crop.height;
  found.width = crop.width;
  found.crop_mode = CropMode::squash;
  found.crop_pct = crop_share(crop.height, resized.height);
  if (std::floor(crop.width / found.crop_pct) != resized.width) {
    config.fail("crop_size", "of the same shape as size");
  }
}

}  // namespace

Preprocessing read_hf_preprocessing(const JsonObject& config, const VitConfig& vit) {
  check_supported(config);
  Preprocessing found;
  read_geometry(config, vit.name == "dinov2", found);
  found.interpolation = interpolation_of(config);
  found.mean = {0.0f, 0.0f, 0.0f};
  found.std = {1.0f, 1.0f, 1.0f};
  if (flag_or(config, "do_normalize", true)) {
    std::ranges::copy(config.numbers("image_mean", 3, -100.0, 100.0), found.mean.begin());
    std::ranges::copy(config.numbers("image_std", 3, 1e-6, 1e6), found.std.begin());
  }
  if (found.height % vit.patch_size != 0 || found.width % vit.patch_size != 0) {
    config.fail(config.has("crop_size") ? "crop_size" : "size",
                cat("of sides that are multiples of the patch size ", vit.patch_size));
  }
  return found;
}

}  // namespace tokensieve
