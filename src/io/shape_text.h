#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tokensieve/core/error.h"

namespace tokensieve {

/// "[2, 3]", for messages.
inline std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t side : shape) text += cat(text.size() > 1 ? ", " : "", side);
  return text + "]";
}

}  // namespace tokensieve
