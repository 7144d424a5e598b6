#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tokensieve/viz/colormap.h"
#include "tokensieve/viz/retention_view.h"

namespace tokensieve {

/// A colourful image with no two neighbouring pixels alike.
inline Image colorful_image(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixels.push_back(static_cast<uint8_t>(120 + (x * 37 + y * 11) % 130));
      image.pixels.push_back(static_cast<uint8_t>(40 + (x * 13 + y * 29) % 130));
      image.pixels.push_back(static_cast<uint8_t>(20 + (x * 7 + y * 5) % 90));
    }
  }
  return image;
}

inline Image plain_image(int width, int height, Color color) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    image.pixels.insert(image.pixels.end(), {color.red, color.green, color.blue});
  }
  return image;
}

inline Color pixel_at(const Image& image, int x, int y) {
  const size_t at =
      3 * (static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(x));
  return {image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]};
}

inline double luma_of(Color color) {
  return 0.299 * color.red + 0.587 * color.green + 0.114 * color.blue;
}

/// Mean luma of the rectangle [x0, x1) x [y0, y1).
inline double mean_luma(const Image& image, int x0, int y0, int x1, int y1) {
  double sum = 0.0;
  for (int y = y0; y < y1; ++y) {
    for (int x = x0; x < x1; ++x) sum += luma_of(pixel_at(image, x, y));
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

/// A site from a string of fates, a letter a token: k kept, f fused, d dropped, D dropped before,
/// so without a score; digits are groups of merged tokens. Scores rise with the index.
inline SiteTrace site_from(int layer, const std::string& fates, int prefix = 1) {
  SiteTrace site;
  site.site = {layer, SitePosition::after_attention};
  const auto kept = static_cast<int32_t>(std::count(fates.begin(), fates.end(), 'k'));
  const bool fuses = fates.find('f') != std::string::npos;
  int32_t row = prefix, next = prefix + kept + (fuses ? 1 : 0);
  std::map<char, int32_t> groups;
  for (const char fate : fates) {
    if (fate >= '0' && fate <= '9' && groups.emplace(fate, next).second) ++next;
  }
  site.rows = next;
  for (size_t i = 0; i < fates.size(); ++i) {
    const char fate = fates[i];
    const bool merged = fate >= '0' && fate <= '9';
    site.fate.push_back(fate == 'k'   ? Fate::kept
                        : merged      ? Fate::merged
                        : fate == 'f' ? Fate::fused
                                      : Fate::dropped);
    site.row.push_back(fate == 'k'   ? row++
                       : merged      ? groups[fate]
                       : fate == 'f' ? prefix + kept
                                     : -1);
    site.weight.push_back(fate == 'k' ? 1.0f : merged ? 0.5f : fate == 'f' ? 0.25f : 0.0f);
    site.score.push_back(fate == 'D' ? std::numeric_limits<float>::quiet_NaN()
                                     : 0.1f * static_cast<float>(i + 1));
  }
  site.origin.resize(static_cast<size_t>(site.rows));
  for (int32_t p = 0; p < prefix; ++p) site.origin[static_cast<size_t>(p)] = -1 - p;
  for (size_t i = fates.size(); i-- > 0;) {
    if (site.row[i] >= 0) site.origin[static_cast<size_t>(site.row[i])] = static_cast<int32_t>(i);
  }
  return site;
}

inline RetentionTrace trace_from(int64_t tokens, std::vector<SiteTrace> sites) {
  RetentionTrace trace;
  trace.num_tokens = tokens;
  trace.num_prefix_tokens = 1;
  trace.sites = std::move(sites);
  return trace;
}

}  // namespace tokensieve
