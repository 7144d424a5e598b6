#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace tokensieve {

/// The bfloat16 with these bits as float: exact.
inline float bf16_to_f32(std::uint16_t half) {
  return std::bit_cast<float>(std::uint32_t{half} << 16);
}

/// Bits of the bfloat16 nearest to `value`, ties to even. Values past the largest bfloat16 become
/// infinite; NaN stays NaN (quiet, sign and upper payload kept).
inline std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const std::uint32_t quiet_nan = (bits >> 16) | 0x40u;
  const bool is_nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
  return static_cast<std::uint16_t>(is_nan ? quiet_nan : rounded);
}

/// The IEEE half with these bits as float: exact, subnormals, infinities and NaN included.
inline float f16_to_f32(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = half & 0x7FFFu;
  // Normal: shift into place with the exponent raised by 224, so 31 becomes 255 (infinite or NaN),
  // then scale back to the bias of 127. Subnormal: the fraction added to 0.5, less the 0.5. No
  // branch, so that a loop over this vectorises.
  const float normal = std::bit_cast<float>((magnitude << 13) + (224u << 23)) * 0x1p-112f;
  const float subnormal = std::bit_cast<float>(magnitude | (126u << 23)) - 0.5f;
  const auto bits = std::bit_cast<std::uint32_t>(magnitude < 0x400u ? subnormal : normal);
  return std::bit_cast<float>(bits | sign);
}

/// The same for whole spans; both sides have one length, else invalid_argument.
void bf16_to_f32(std::span<const std::uint16_t> from, std::span<float> to);
void f16_to_f32(std::span<const std::uint16_t> from, std::span<float> to);
void f32_to_bf16(std::span<const float> from, std::span<std::uint16_t> to);

}  // namespace tokensieve
