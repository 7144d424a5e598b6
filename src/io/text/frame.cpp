#include "text/frame.h"

#include <algorithm>

namespace tokensieve {
namespace {

void truncate(Tokens& tokens, std::size_t count) {
  if (tokens.ids.size() <= count) return;
  tokens.ids.resize(count);
  tokens.spans.resize(count);
  tokens.words.resize(count);
}

}  // namespace

Frame bert_frame(std::int32_t cls, std::int32_t sep) {
  using enum FramePart::Kind;
  return {{{kSpecial, cls, 0}, {kFirst, -1, 0}, {kSpecial, sep, 0}},
          {{kSpecial, cls, 0},
           {kFirst, -1, 0},
           {kSpecial, sep, 0},
           {kSecond, -1, 1},
           {kSpecial, sep, 1}}};
}

Frame roberta_frame(std::int32_t cls, std::int32_t sep) {
  using enum FramePart::Kind;
  return {{{kSpecial, cls, 0}, {kFirst, -1, 0}, {kSpecial, sep, 0}},
          {{kSpecial, cls, 0},
           {kFirst, -1, 0},
           {kSpecial, sep, 0},
           {kSpecial, sep, 0},
           {kSecond, -1, 0},
           {kSpecial, sep, 0}}};
}

int count_special(const std::vector<FramePart>& parts) {
  return static_cast<int>(std::ranges::count(parts, FramePart::kSpecial, &FramePart::kind));
}

void truncate_longest_first(Tokens& first, Tokens& second, std::size_t room) {
  const std::size_t a = first.ids.size(), b = second.ids.size();
  if (a + b <= room) return;
  // The shorter stays whole if it takes at most half; of two that are longer, the longer one gets
  // the token that is over.
  const std::size_t half = room / 2, rest = room - half;
  const std::size_t shorter = std::min(a, b);
  const std::size_t less = shorter <= half ? shorter : half;
  const std::size_t more = shorter <= half ? room - shorter : rest;
  truncate(first, a > b ? more : less);
  truncate(second, a > b ? less : more);
}

Tokens fill_frame(const std::vector<FramePart>& parts, const Tokens& first, const Tokens& second) {
  Tokens out;
  const std::size_t count = first.ids.size() + second.ids.size() + parts.size();
  out.ids.reserve(count);
  out.types.reserve(count);
  out.spans.reserve(count);
  out.words.reserve(count);
  for (const FramePart& part : parts) {
    if (part.kind == FramePart::kSpecial) {
      out.ids.push_back(part.id);
      out.spans.push_back({});
      out.words.push_back(-1);
    } else {
      const Tokens& text = part.kind == FramePart::kFirst ? first : second;
      out.ids.insert(out.ids.end(), text.ids.begin(), text.ids.end());
      out.spans.insert(out.spans.end(), text.spans.begin(), text.spans.end());
      out.words.insert(out.words.end(), text.words.begin(), text.words.end());
    }
    out.types.resize(out.ids.size(), part.type);
  }
  return out;
}

}  // namespace tokensieve
