#include "picture_files.h"

#include <algorithm>

#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"
#include "tokensieve/viz/heatmap.h"
#include "tokensieve/viz/mask_map.h"

namespace tokensieve::cli {
namespace fs = std::filesystem;
namespace {

Image mask_map(const Visual& visual) {
  return draw_mask_map(visual.view(), visual.network->masks, visual.network->num_heads);
}

void write_page(const fs::path& path, const std::deque<Visual>& visuals,
                const ReportOptions& options) {
  std::vector<ReportEntry> entries;
  for (const Visual& visual : visuals) {
    entries.push_back({visual.view(), visual.caption});
    if (visual.has_masks()) entries.back().figures.push_back({"masked heads", mask_map(visual)});
  }
  write_html_report(path, entries, options);
}

std::vector<fs::path> write_folder(const fs::path& folder, const std::deque<Visual>& visuals,
                                   const StripOptions& strip, const ReportOptions& report) {
  make_folder(folder);
  std::vector<fs::path> files;
  const auto write = [&](const std::string& name, const Image& image) {
    files.push_back(folder / name);
    write_png(files.back(), image);
  };
  HeatmapOptions map;
  map.magnify = strip.magnify;
  map.grid = strip.grid;
  map.colormap = strip.colormap;
  for (const Visual& visual : visuals) {
    write(visual.stem + "_strip.png", draw_strip(visual.view(), visual.caption, strip));
    if (visual.has_masks()) write(visual.stem + "_masks.png", mask_map(visual));
    if (visual.trace.sites.empty()) continue;
    map.title = "dropped at block";
    write(visual.stem + "_dropped_at.png", draw_dropped_at_map(visual.view(), map));
    for (size_t s = 0; s < visual.trace.sites.size(); ++s) {
      const Site& site = visual.trace.sites[s].site;
      const std::string block = std::to_string(site.layer);
      const bool alone = std::ranges::count(visual.trace.sites, site.layer,
                                            [](const SiteTrace& t) { return t.site.layer; }) == 1;
      map.title = visual.trace.sites[s].score_name + " at block " + block;
      write(visual.stem + "_score_block" + block +
                (alone ? "" : "_" + std::string(to_string(site.position))) + ".png",
            draw_score_map(visual.view(), static_cast<int>(s), map));
    }
  }
  files.push_back(folder / "index.html");
  write_page(files.back(), visuals, report);
  return files;
}

}  // namespace

Image stacked(const std::vector<Image>& images) {
  Image sheet;
  for (const Image& image : images) {
    sheet.width = std::max(sheet.width, image.width);
    sheet.height += image.height;
  }
  const size_t stride = 3 * static_cast<size_t>(sheet.width);
  sheet.pixels.assign(stride * static_cast<size_t>(sheet.height), 255);
  auto to = sheet.pixels.begin();
  for (const Image& image : images) {
    const std::ptrdiff_t row = 3 * static_cast<std::ptrdiff_t>(image.width);
    for (int y = 0; y < image.height; ++y, to += static_cast<std::ptrdiff_t>(stride)) {
      std::copy_n(image.pixels.begin() + y * row, row, to);
    }
  }
  return sheet;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  check_runtime(!error, "[visualize] cannot make the folder ", folder.string(), ": ",
                error.message());
}

bool Visual::has_masks() const {
  return network != nullptr && std::ranges::any_of(network->masks.heads, [](const auto& heads) {
           return !heads.empty();
         });
}

OutputKind output_kind(const fs::path& out) {
  const std::string extension = lower_extension(out);
  if (!fs::is_directory(out)) {
    const fs::path folder = out.parent_path();
    check_runtime(extension.empty() || folder.empty() || fs::is_directory(folder),
                  "[visualize] there is no folder ", folder.string(), " to write ", out.string(),
                  " to");
    if (extension == ".png") return OutputKind::png;
    if (extension == ".html" || extension == ".htm") return OutputKind::html;
  }
  check_argument(extension.empty() || fs::is_directory(out),
                 "[visualize] --out: expected a name that ends in .png or .html, or a folder, got ",
                 out.string());
  return OutputKind::folder;
}

std::vector<fs::path> write_visuals(const fs::path& out, const std::deque<Visual>& visuals,
                                    const StripOptions& strip, const ReportOptions& report) {
  switch (output_kind(out)) {
    case OutputKind::folder:
      return write_folder(out, visuals, strip, report);
    case OutputKind::html:
      write_page(out, visuals, report);
      break;
    case OutputKind::png: {
      std::vector<Image> strips;
      for (const Visual& visual : visuals) {
        strips.push_back(draw_strip(visual.view(), visual.caption, strip));
        if (visual.has_masks()) strips.push_back(mask_map(visual));
      }
      write_png(out, stacked(strips));
      break;
    }
  }
  return {out};
}

}  // namespace tokensieve::cli
