#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tokensieve/viz/retention_view.h"

namespace tokensieve {

/// A picture that comes with an image, such as draw_mask_map()'s.
struct ReportFigure {
  std::string title;
  Image image;
};

/// One image of a report.
struct ReportEntry {
  RetentionView view;
  RetentionCaption caption;
  std::vector<ReportFigure> figures = {};  ///< Shown under it.
};

/// What stands at the top of a page.
struct ReportOptions {
  std::string title = "What the sieve kept";  ///< Heading and window title.
  std::string subtitle = {};                  ///< A line under it: model, recipe, machine.
};

/// The report as one HTML page that needs nothing else, neither files nor network: for each image a
/// slider over the sites, kept tokens or scores or "dropped at block" on it, and for the token
/// under the pointer or the arrow keys its index, score, weight and fate. Light or dark as the
/// reader's system. All text is escaped. Throws std::invalid_argument for a view that does not
/// validate.
std::string html_report(std::span<const ReportEntry> entries, const ReportOptions& options = {});

/// Writes html_report() to `path`, all or nothing. Also throws std::runtime_error when that fails.
void write_html_report(const std::filesystem::path& path, std::span<const ReportEntry> entries,
                       const ReportOptions& options = {});

}  // namespace tokensieve
