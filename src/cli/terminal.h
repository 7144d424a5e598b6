#pragma once

#include <string>

namespace tokensieve::cli {

bool stdout_is_terminal();
bool stderr_is_terminal();
/// Standard output is a terminal that wants colour (NO_COLOR unset or empty, TERM not "dumb").
bool stdout_has_colour();

/// Columns of the terminal behind standard output, 100 when there is none.
int terminal_width();

/// The text in bold, dim, green or red if stdout_has_colour(), otherwise as it is.
std::string bold(const std::string& text);
std::string dim(const std::string& text);
std::string green(const std::string& text);
std::string red(const std::string& text);

/// Red text for standard error, under the same conditions.
std::string paint_error(const std::string& text);

/// Columns a UTF-8 text takes: characters, colour codes not counted.
size_t display_width(const std::string& text);

/// The text cut to `width` columns in the middle, where it is longest: "demos/…/tench.jpg".
std::string shorten(const std::string& text, size_t width);

}  // namespace tokensieve::cli
