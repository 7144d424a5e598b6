#include "scanner.h"

#include <algorithm>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr size_t kMaxQuoted = 40;
constexpr std::string_view kWordSigns =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-/";

}  // namespace

Scanner::Scanner(std::string_view text) : text_(text) {
  check_argument(text.size() <= kMaxRecipeLength, "[recipe] expected at most ", kMaxRecipeLength,
                 " characters, got ", text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    check_argument(byte >= 0x20 && byte < 0x7f, "[recipe] expected printable ASCII, got byte ",
                   unsigned{byte}, " at position ", i);
  }
}

bool Scanner::accept(char sign) {
  skip_spaces();
  if (position_ == text_.size() || text_[position_] != sign) return false;
  ++position_;
  return true;
}

void Scanner::expect(char sign) {
  if (!accept(sign)) fail(cat("'", sign, "'"));
}

std::string Scanner::word(std::string_view expected) {
  skip_spaces();
  const size_t end = std::min(text_.find_first_not_of(kWordSigns, position_), text_.size());
  if (end == position_) fail(expected);
  const std::string_view found = text_.substr(position_, end - position_);
  position_ = end;
  return std::string(found);
}

void Scanner::expect_end() {
  skip_spaces();
  if (position_ != text_.size()) fail("the end");
}

void Scanner::skip_spaces() {
  while (position_ < text_.size() && text_[position_] == ' ') ++position_;
}

void Scanner::fail(std::string_view expected) const {
  const std::string_view rest = text_.substr(position_);
  const std::string behind = position_ == 0 ? "" : cat(" after '", text_.substr(0, position_), "'");
  fail_argument("[recipe] expected ", expected, behind, ", got ",
                rest.empty() ? "the end" : cat("'", rest.substr(0, kMaxQuoted), "'"));
}

}  // namespace tokensieve
