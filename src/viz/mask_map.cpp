#include "tokensieve/viz/mask_map.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "fate_style.h"
#include "legend.h"
#include "picture.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

namespace {

using namespace drawing;

constexpr int kSide = 140;  // of a small picture, about
constexpr int kGap = 8;
constexpr int kHeadLabel = 46;
constexpr Color kQuery{240, 228, 66};  // Okabe and Ito's yellow
constexpr Color kSeen{196, 148, 84};

/// What becomes of a key.
enum class Key { seen, masked, gone };

/// The rows that a block attends to, prefix rows left out.
struct Rows {
  std::vector<int32_t> of_token;  // the row each token is in, -1 when it has left
  std::vector<int32_t> origin;    // the token at whose place each row stands
};

Rows rows_in(const RetentionTrace& trace, int block) {
  const SiteTrace* state = nullptr;
  for (const SiteTrace& site : trace.sites) {
    if (site.site <= Site{block, SitePosition::before_block}) state = &site;
  }
  Rows rows;
  if (state == nullptr) {
    rows.of_token.resize(static_cast<size_t>(trace.num_tokens));
    std::iota(rows.of_token.begin(), rows.of_token.end(), 0);
    rows.origin = rows.of_token;
    return rows;
  }
  const auto left = static_cast<int32_t>(state->origin.size());
  check_argument(left >= trace.num_prefix_tokens && left == state->rows,
                 "[draw_mask_map] expected the places of all ", state->rows, " rows at ",
                 to_string(state->site), ", got ", left);
  for (const int32_t row : state->row) {
    check_argument(row < left && (row < 0 || row >= trace.num_prefix_tokens),
                   "[draw_mask_map] expected tokens in rows from ", trace.num_prefix_tokens, " to ",
                   left - 1, " at ", to_string(state->site), ", got ", row);
    rows.of_token.push_back(row < 0 ? -1 : row - trace.num_prefix_tokens);
  }
  rows.origin.assign(state->origin.begin() + trace.num_prefix_tokens, state->origin.end());
  return rows;
}

/// The token nearest to the middle that has a row of its own to the end, or any row, or none.
int middle_token(const RetentionView& view) {
  const auto nearest = [&](auto counts) {
    int best = -1;
    double best_distance = 0.0;
    for (int i = 0; i < view.trace.num_tokens; ++i) {
      const double y = i / view.grid_width - 0.5 * (view.grid_height - 1);
      const double x = i % view.grid_width - 0.5 * (view.grid_width - 1);
      const double distance = x * x + y * y;
      if (!counts(i) || (best >= 0 && distance >= best_distance)) continue;
      best = i;
      best_distance = distance;
    }
    return best;
  };
  if (view.trace.sites.empty()) return nearest([](int) { return true; });
  const std::vector<Fate>& fate = view.trace.sites.back().fate;
  const int own = nearest([&](int i) { return fate[static_cast<size_t>(i)] == Fate::kept; });
  if (own >= 0) return own;
  return nearest([&](int i) { return fate[static_cast<size_t>(i)] != Fate::dropped; });
}

std::vector<Key> keys_of(const RetentionView& view, const AttentionMasks& masks, int block,
                         bool masked, int query) {
  const Rows rows = rows_in(view.trace, block);
  const int32_t row = query < 0 ? -1 : rows.of_token[static_cast<size_t>(query)];
  std::vector<bool> seen(rows.origin.size(), !masked);
  if (masked && row >= 0) {
    const auto layout = RaggedLayout::uniform(1, std::ssize(rows.origin));
    const int64_t grid_width = view.grid_width;
    Neighbourhoods neighbourhoods;
    list_neighbourhoods(masks, layout, rows.origin, 0, std::span(&grid_width, 1),
                        std::span(&view.trace.num_tokens, 1), neighbourhoods);
    for (const int32_t key : neighbourhoods.of_row(row)) seen[static_cast<size_t>(key)] = true;
  }
  std::vector<Key> keys;
  for (const int32_t key : rows.of_token) {
    keys.push_back(key < 0 ? Key::gone : seen[static_cast<size_t>(key)] ? Key::seen : Key::masked);
  }
  return keys;
}

cv::Mat3b head_picture(const cv::Mat3b& image, const PatchGrid& grid, const std::vector<Key>& keys,
                       int query) {
  cv::Mat3b picture = image.clone();
  cv::Mat1b masked(picture.size(), uint8_t{0}), gone(picture.size(), uint8_t{0});
  for (int i = 0; i < grid.count(); ++i) {
    const Key key = keys[static_cast<size_t>(i)];
    if (key == Key::masked) masked(grid.cell(i)) = 255;
    if (key == Key::gone) gone(grid.cell(i)) = 255;
  }
  fade(picture, masked);
  dim(picture, gone);
  if (query < 0) return picture;
  cv::rectangle(picture, grid.cell(query), cv::Scalar(0, 0, 0), 4);
  cv::rectangle(picture, grid.cell(query), cv::Scalar(pixel(kQuery)), 2);
  return picture;
}

/// One swatch for each thing that occurs.
cv::Mat3b mask_legend(const AttentionMasks& masks, bool any_gone, int width,
                      const Metrics& metrics) {
  const cv::Mat3b seen = swatch(kSeen, metrics);
  const cv::Mat1b all(seen.size(), uint8_t{255});
  cv::Mat3b masked = seen.clone(), gone = seen.clone();
  fade(masked, all);
  dim(gone, all);
  const bool hard = masks.kind == AttentionMasks::Kind::hard;
  std::vector<LegendEntry> entries = {
      {swatch(kQuery, metrics), "the patch that looks"},
      {seen, "looked at"},
      {masked, hard ? "masked: not looked at" : "masked: logit 0, all alike"}};
  if (any_gone) entries.push_back({gone, "left before this block"});
  return entry_legend(entries, width, metrics);
}

}  // namespace

Image draw_mask_map(const RetentionView& view, const AttentionMasks& masks,
                    std::span<const int> num_heads, int query) {
  validate(view);
  masks.validate(num_heads);
  check_argument(query >= -1 && query < view.trace.num_tokens,
                 "[draw_mask_map] expected one of the ", view.trace.num_tokens,
                 " patches, or -1 to choose, got ", query);
  int most = 0;  // heads of a block that is drawn
  for (int block = 0; block < std::ssize(num_heads); ++block) {
    if (!masks.of_block(block).empty())
      most = std::max(most, num_heads[static_cast<size_t>(block)]);
  }
  check_argument(most > 0, "[draw_mask_map] expected masked heads in a block or more, got none");
  if (query < 0) query = middle_token(view);

  const int patch = std::max(1, kSide / std::max(view.grid_height, view.grid_width));
  const PatchGrid grid{view.grid_height, view.grid_width, cv::Size(patch, patch)};
  cv::Mat3b image;
  cv::resize(enlarge(view.image, 1), image, grid.picture(), 0, 0, cv::INTER_AREA);

  const Metrics metrics;
  std::vector<cv::Mat3b> columns(1);
  const int label_height = line_height(metrics.note());
  std::vector<cv::Mat3b> labels = {white(kHeadLabel, label_height)};
  for (int head = 0; head < most; ++head) {
    cv::Mat3b label = white(kHeadLabel, image.rows);
    draw_text(label, cat("head ", head), {0, image.rows / 2 + 4}, metrics.note());
    labels.push_back(label);
  }
  columns.front() = stack_down(labels, kGap);
  for (int block = 0; block < std::ssize(num_heads); ++block) {
    if (masks.of_block(block).empty()) continue;
    std::vector<cv::Mat3b> column = {text_line(cat("block ", block), metrics.note(), image.cols)};
    for (int head = 0; head < num_heads[static_cast<size_t>(block)]; ++head) {
      const bool masked = std::ranges::count(masks.of_block(block), head) > 0;
      column.push_back(
          head_picture(image, grid, keys_of(view, masks, block, masked, query), query));
    }
    columns.push_back(stack_down(column, kGap));
  }
  const cv::Mat3b heads = stack_across(columns, kGap);

  const bool any_gone = std::ranges::any_of(view.trace.sites, [](const SiteTrace& site) {
    return std::ranges::count(site.fate, Fate::dropped) > 0;
  });
  const std::string title = cat("masked heads: ", 2 * masks.rows + 1, " x ", 2 * masks.columns + 1,
                                " patches, ", to_string(masks.kind));
  const std::vector<cv::Mat3b> parts = {text_line(title, metrics.title(), heads.cols), heads,
                                        mask_legend(masks, any_gone, heads.cols, metrics)};
  return to_image(with_margin(stack_down(parts, 12), 22));
}

}  // namespace tokensieve
