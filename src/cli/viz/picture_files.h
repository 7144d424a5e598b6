#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "tokensieve/core/vit_config.h"
#include "tokensieve/viz/html_report.h"
#include "tokensieve/viz/retention_strip.h"

namespace tokensieve::cli {

/// One picture under one recipe, with all it takes to draw it.
struct Visual {
  std::string stem;  ///< For file names; no two are the same.
  Image image;       ///< As the network saw it.
  int grid_height = 0;
  int grid_width = 0;
  RetentionTrace trace;
  RetentionCaption caption;
  const VitConfig* network = nullptr;  ///< Its masked heads are drawn, if it has some.

  bool has_masks() const;
  RetentionView view() const { return {image, grid_height, grid_width, trace}; }
};

/// What the name of --out asks for.
enum class OutputKind { png, html, folder };

/// A name that ends in .png, .html or .htm is a file, one without an ending, or that is there, a
/// folder. Throws std::invalid_argument for other endings, std::runtime_error for a file in no
/// folder.
OutputKind output_kind(const std::filesystem::path& out);

/// The images one below the other on white, flush left.
Image stacked(const std::vector<Image>& images);

/// Makes the folder where it is not there. Throws std::runtime_error.
void make_folder(const std::filesystem::path& folder);

/// Writes the strips one below the other (.png), a page (.html), or a folder of both and of heat
/// maps on their own; masked heads (draw_mask_map) below a strip, in the page, or as a file.
/// Returns the files written.
std::vector<std::filesystem::path> write_visuals(const std::filesystem::path& out,
                                                 const std::deque<Visual>& visuals,
                                                 const StripOptions& strip,
                                                 const ReportOptions& report);

}  // namespace tokensieve::cli
