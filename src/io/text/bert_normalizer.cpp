#include "text/bert_normalizer.h"

#include <algorithm>

#include "text/unicode.h"

namespace tokensieve {
namespace {

bool has(const TextChar& c, CharClass flag) { return (char_classes(c.value) & flag) != 0; }

std::vector<TextChar> split_chinese(const std::vector<TextChar>& chars) {
  std::vector<TextChar> split;
  split.reserve(chars.size());
  for (const TextChar& c : chars) {
    const bool chinese = is_chinese(c.value);
    if (chinese) split.push_back({U' ', c.begin, c.end});
    split.push_back(c);
    if (chinese) split.push_back({U' ', c.begin, c.end});
  }
  return split;
}

std::vector<TextChar> lower_all(const std::vector<TextChar>& chars) {
  std::vector<TextChar> lowered;
  lowered.reserve(chars.size());
  for (const TextChar& c : chars) {
    if (!has(c, kUpperChar)) {
      lowered.push_back(c);
      continue;
    }
    for (const char32_t small : lower_case(c.value)) lowered.push_back({small, c.begin, c.end});
  }
  return lowered;
}

}  // namespace

std::vector<TextChar> decompose_all(const std::vector<TextChar>& chars) {
  struct Part {
    char32_t value;
    int combining_class;
    bool opens;  ///< The first part of a character of `chars`.
  };
  std::vector<Part> parts;
  parts.reserve(chars.size());
  std::size_t marks = 0;  // where the marks begin that nothing has followed yet
  const auto sort_marks = [&] {
    std::stable_sort(
        parts.begin() + static_cast<std::ptrdiff_t>(marks), parts.end(),
        [](const Part& a, const Part& b) { return a.combining_class < b.combining_class; });
  };
  for (const TextChar& c : chars) {
    bool opens = true;
    for (const char32_t part :
         has(c, kComposedChar) ? decompose(c.value) : std::u32string{c.value}) {
      const int order = has({part, 0, 0}, kComposedChar) ? combining_class(part) : 0;
      if (order == 0) {
        sort_marks();
        marks = parts.size() + 1;
      }
      parts.push_back({part, order, opens});
      opens = false;
    }
  }
  sort_marks();

  std::vector<TextChar> out;
  out.reserve(parts.size());
  std::size_t opened = 0;
  for (const Part& part : parts) {
    opened += part.opens;
    const TextChar& source = chars[std::max<std::size_t>(opened, 1) - 1];
    out.push_back({part.value, source.begin, source.end});
  }
  return out;
}

std::vector<TextChar> BertNormalizer::operator()(std::vector<TextChar> chars) const {
  if (clean_text) {
    std::erase_if(chars, [](const TextChar& c) { return has(c, kRemovedChar); });
    for (TextChar& c : chars) {
      if (has(c, kSpaceChar)) c.value = U' ';
    }
  }
  if (chinese_chars) chars = split_chinese(chars);
  if (strip_accents) {
    chars = decompose_all(chars);
    std::erase_if(chars, [](const TextChar& c) { return has(c, kMarkChar); });
  }
  return lowercase ? lower_all(chars) : chars;
}

}  // namespace tokensieve
