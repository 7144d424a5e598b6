#include "html_text.h"
#include "tokensieve/core/error.h"
#include "words.h"

namespace tokensieve {
namespace {

using namespace drawing;

/// The escape sequence of a word's colour: the nearest of the 6 x 6 x 6 that every colour terminal
/// has.
std::string paint(Color color) {
  const auto level = [](std::uint8_t value) {
    return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
  };
  return cat("\x1b[38;5;", 16 + 36 * level(color.red) + 6 * level(color.green) + level(color.blue),
             "m");
}

std::string subscript(int number) {
  std::string out;
  for (const char digit : std::to_string(number)) {
    out += "\xE2\x82";  // U+2080 is the subscript 0
    out += static_cast<char>(0x80 + (digit - '0'));
  }
  return out;
}

std::string styled(const std::string& text, const WordStep& step, bool color) {
  // With the number, too: neighbouring colours may look alike.
  const std::string numbered = step.block < 0 ? text : text + subscript(step.block);
  if (!color) return numbered;
  return (step.block < 0 ? "\x1b[1m" : paint(step.color)) + numbered + "\x1b[0m";
}

}  // namespace

std::string terminal_strip(const TextView& view, bool color) {
  const std::vector<WordFate> words = word_fates(view);
  std::vector<WordStep> steps = word_steps(view, words, Colormap::viridis);
  // The middle of the scale: its ends vanish on a dark or on a light ground.
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double position = static_cast<double>(i) / static_cast<double>(steps.size());
    steps[i].color = colormap_color(Colormap::viridis, 0.2 + 0.75 * position);
  }
  std::string out;
  for (const Stretch& part : stretches(view, words)) {
    const std::string text = plain_text(part.text);
    if (part.word) {
      out += styled(text, step_of(steps, *part.word), color);
    } else if (part.unread) {
      out += color ? "\x1b[2m" + text + "\x1b[0m" : " [not read:" + text + "]";
    } else {
      out += text;
    }
  }
  out += '\n';
  std::string legend;
  for (const WordStep& step : steps) {
    if (!legend.empty()) legend += ", ";
    legend += styled(step.text(), step, color && step.block >= 0);
  }
  if (view.trace.exit_layer >= 0) legend += "; " + exit_text(view);
  return out + legend + '\n';
}

}  // namespace tokensieve
