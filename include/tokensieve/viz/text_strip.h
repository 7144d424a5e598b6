#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/core/retention_trace.h"
#include "tokensieve/io/text_dataset.h"
#include "tokensieve/viz/colormap.h"
#include "tokensieve/viz/html_report.h"
#include "tokensieve/viz/retention_view.h"

namespace tokensieve {

/// What every picture of a text is drawn from: the text and what became of its tokens. It owns
/// nothing.
struct TextView {
  std::string_view text;        ///< UTF-8; bytes that are not are shown as U+FFFD.
  const Tokens& tokens;         ///< Of that text; of a pair as shown_text() has them.
  const RetentionTrace& trace;  ///< Of those tokens, and where the text exited.
  int depth = 0;                ///< Blocks of the network.
};

/// One text to look at: a single one as it is; of a pair both, each on a line of its own.
struct ShownText {
  std::string text;
  Tokens tokens;  ///< As pieces of that text.
};

/// `tokens` as encode() gives them for `sample`. Throws std::invalid_argument for spans that are
/// not of a pair's texts.
ShownText shown_text(const TextSample& sample, Tokens tokens);

/// Throws std::invalid_argument unless the trace has one token for each of the text's, spans lie in
/// the text one after the other, and the exit is a block.
void validate(const TextView& view);

/// A word of a text. Its pieces are one: it stays as long as one of them does.
struct WordFate {
  std::size_t begin = 0, end = 0;  ///< Bytes of the text.
  /// Block at which its last piece stopped having a row of its own; -1 when one never did.
  int dropped_at = -1;
  bool operator==(const WordFate&) const = default;
};

/// The words that the network read, in order. Throws std::invalid_argument as validate().
std::vector<WordFate> word_fates(const TextView& view);

/// The text for a terminal, and a line that says how many words left at which block, the exit
/// included. Words that left have the block's number as a subscript; with `color` also its colour,
/// and words that stayed are bold. Control characters are shown as U+FFFD,
/// except for line ends. Throws std::invalid_argument as validate().
std::string terminal_strip(const TextView& view, bool color);

/// How the picture of a text is drawn.
struct TextStripOptions {
  int width = 900;  ///< Pixels, from 200 to 4000.
  Colormap colormap = Colormap::viridis;
};

/// The text as a picture on white: a header of `caption`; the words, the paler the earlier they
/// left, underlined in the colour of the block where they did; a legend with counts and the exit.
/// Only ASCII can be drawn; other characters become '?' (the HTML page has them all). Returns RGB.
/// Throws std::invalid_argument for a view that does not validate, a text of more than 20,000
/// bytes or options out of range.
Image draw_text_strip(const TextView& view, const RetentionCaption& caption = {},
                      const TextStripOptions& options = {});

/// One text of a report.
struct TextReportEntry {
  TextView view;
  RetentionCaption caption;
};

/// The report as one HTML page that needs nothing else: for each text a slider over the blocks, at
/// which words fade as they leave; under the pointer a word says where it left. Light or dark as
/// the reader's system. All text is escaped. Throws std::invalid_argument for a view that does not
/// validate.
std::string text_html_report(std::span<const TextReportEntry> entries,
                             const ReportOptions& options = {});

/// Writes text_html_report() to `path`, all or nothing. Also throws std::runtime_error when that
/// fails.
void write_text_html_report(const std::filesystem::path& path,
                            std::span<const TextReportEntry> entries,
                            const ReportOptions& options = {});

}  // namespace tokensieve
