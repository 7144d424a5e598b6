#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tokensieve/io/safetensors.h"

namespace tokensieve {

/// The limits of the format and of what we take for a tensor.
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
inline constexpr std::size_t kMaxDimensions = 64;
inline constexpr std::string_view kMetadataKey = "__metadata__";

/// What the JSON header of a safetensors file says.
struct SafetensorsHeader {
  std::map<std::string, TensorInfo, std::less<>> tensors;
  std::map<std::string, std::string> metadata;
};

/// Parses the header and holds it against the format's rules and the `data_bytes` that follow it.
/// Throws runtime_error naming `path` and the fault.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_bytes,
                                           const std::string& path);

}  // namespace tokensieve
