#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tokensieve {

/// Element types of the safetensors format, in the format's order of alignment: a file holds the
/// last first.
enum class DType {
  BOOL,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

/// Bits of one element: 4 and 6 for the packed F4 and F6 types, else a multiple of 8.
int dtype_bits(DType dtype);

/// The name safetensors uses, such as "BF16".
std::string_view dtype_name(DType dtype);

/// The type of that exact name, or nothing.
std::optional<DType> dtype_from_name(std::string_view name);

/// Bytes of a dense tensor of this type and shape; a scalar has shape []. Nothing if a dimension is
/// negative, the count overflows 63 bits, or packed elements do not fill their last byte.
std::optional<std::uint64_t> tensor_bytes(DType dtype, std::span<const std::int64_t> shape);

}  // namespace tokensieve
