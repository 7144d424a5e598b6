#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace tokensieve::cli {
namespace {

bool colour_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr &&
         std::string_view(term) != "dumb";
}

std::string paint(const std::string& text, const char* code) {
  static const bool on = stdout_has_colour();
  return on ? std::string("\x1b[") + code + "m" + text + "\x1b[0m" : text;
}

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u; }

}  // namespace

bool stdout_is_terminal() { return isatty(STDOUT_FILENO) != 0; }
bool stderr_is_terminal() { return isatty(STDERR_FILENO) != 0; }
bool stdout_has_colour() { return stdout_is_terminal() && colour_wanted(); }

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 100;
  return size.ws_col;
}

std::string bold(const std::string& text) { return paint(text, "1"); }
std::string dim(const std::string& text) { return paint(text, "2"); }
std::string green(const std::string& text) { return paint(text, "32"); }
std::string red(const std::string& text) { return paint(text, "31"); }

std::string paint_error(const std::string& text) {
  return stderr_is_terminal() && colour_wanted() ? "\x1b[31m" + text + "\x1b[0m" : text;
}

size_t display_width(const std::string& text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if (!continues_character(text[i])) {
      ++width;
    }
  }
  return width;
}

std::string shorten(const std::string& text, size_t width) {
  if (display_width(text) <= width || width < 3) return text;
  // A third from the front, the rest from the end: file names differ at their ends.
  const size_t front = (width - 1) / 3;
  const size_t back = width - 1 - front;
  size_t head = 0;
  for (size_t seen = 0; head < text.size(); ++head) {
    if (!continues_character(text[head]) && seen++ == front) break;
  }
  size_t tail = text.size();
  for (size_t seen = 0; tail > 0 && seen < back;) {
    if (!continues_character(text[--tail])) ++seen;
  }
  return text.substr(0, head) + "…" + text.substr(tail);
}

}  // namespace tokensieve::cli
