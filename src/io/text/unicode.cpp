#include "text/unicode.h"

#include <algorithm>
#include <vector>

#include "text/unicode_data.h"

namespace tokensieve {
namespace {

constexpr char32_t kEnd = 0x110000;

// Hangul syllables decompose by arithmetic (Unicode 3.12).
constexpr char32_t kSyllables = 0xAC00, kSyllablesEnd = 0xD7A4;
constexpr char32_t kLeads = 0x1100, kVowels = 0x1161, kTrails = 0x11A7;
constexpr char32_t kVowelCount = 21, kTrailCount = 28;

void mark(std::vector<std::uint8_t>& classes, char32_t first, char32_t last, CharClass flag) {
  for (char32_t c = first; c <= last; ++c) classes[c] |= flag;
}

std::vector<std::uint8_t> all_classes() {
  std::vector<std::uint8_t> classes(kEnd);
  for (const auto& r : kRemoved) mark(classes, r.first, r.last, kRemovedChar);
  for (const auto& r : kMark) mark(classes, r.first, r.last, kMarkChar);
  for (const auto& r : kPunctuation) mark(classes, r.first, r.last, kPunctuationChar);
  for (const auto& r : kSpace) mark(classes, r.first, r.last, kSpaceChar);
  for (const auto& r : kLetter) mark(classes, r.first, r.last, kLetterChar);
  for (const auto& r : kNumber) mark(classes, r.first, r.last, kNumberChar);
  for (const auto& r : kLower) {
    for (char32_t c = r.first; c <= r.last; c += r.step) classes[c] |= kUpperChar;
  }
  for (const auto& r : kCombining) mark(classes, r.first, r.last, kComposedChar);
  for (const auto& d : kDecompositions) classes[d.from] |= kComposedChar;
  mark(classes, kSyllables, kSyllablesEnd - 1, kComposedChar);
  return classes;
}

/// The row with the last `first` at or before `value`; null if it ends before.
template <typename Row>
const Row* find_range(std::span<const Row> rows, char32_t value) {
  const auto after = std::ranges::upper_bound(rows, value, {}, &Row::first);
  if (after == rows.begin() || std::prev(after)->last < value) return nullptr;
  return &*std::prev(after);
}

}  // namespace

std::uint8_t char_classes(char32_t value) {
  static const std::vector<std::uint8_t> classes = all_classes();
  return classes[value];
}

bool is_chinese(char32_t value) {
  constexpr CharRange kChinese[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
                                    {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F},
                                    {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return find_range<CharRange>(kChinese, value) != nullptr;
}

std::u32string lower_case(char32_t value) {
  if (value == 0x130) return U"i\u0307";
  const LowerRange* const row = find_range(kLower, value);
  if (!row || (value - row->first) % row->step != 0) return {value};
  return {static_cast<char32_t>(static_cast<int>(value) + row->added)};
}

int combining_class(char32_t value) {
  const CombiningRange* const row = find_range(kCombining, value);
  return row ? row->combining_class : 0;
}

std::u32string decompose(char32_t value) {
  if (value >= kSyllables && value < kSyllablesEnd) {
    const char32_t index = value - kSyllables, pair = index / kTrailCount;
    std::u32string parts{kLeads + pair / kVowelCount, kVowels + pair % kVowelCount};
    if (index % kTrailCount != 0) parts += kTrails + index % kTrailCount;
    return parts;
  }
  const auto row = std::ranges::lower_bound(kDecompositions, value, {}, &Decomposition::from);
  if (row == kDecompositions.end() || row->from != value) return {value};
  std::u32string parts = decompose(row->first);
  if (row->second != 0) parts += decompose(row->second);
  return parts;
}

}  // namespace tokensieve
