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
  constexpr std::uint32_t kRebias = (127u - 15u) << 23;
  // Masks, not branches, so that a loop over this vectorises (g++ will not do so for `?:` of
  // floats).
  const std::uint32_t if_not_finite = -std::uint32_t{magnitude >= 0x7C00u};
  const std::uint32_t if_subnormal = -std::uint32_t{magnitude < 0x400u};
  const std::uint32_t normal = (magnitude << 13) + kRebias + (if_not_finite & kRebias);
  const auto subnormal =
      std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<int>(magnitude)) * 0x1p-24f);
  return std::bit_cast<float>(sign | (if_subnormal & subnormal) | (~if_subnormal & normal));
}

/// The same for whole spans; both sides have one length, else invalid_argument.
void bf16_to_f32(std::span<const std::uint16_t> from, std::span<float> to);
void f16_to_f32(std::span<const std::uint16_t> from, std::span<float> to);
void f32_to_bf16(std::span<const float> from, std::span<std::uint16_t> to);

}  // namespace tokensieve
