#include "tokensieve/io/half.h"

#include <cstddef>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

void check_lengths(const char* operation, std::size_t from, std::size_t to) {
  check_argument(from == to, "[", operation, "] expected as many results as values, got ", to,
                 " for ", from);
}

}  // namespace

void bf16_to_f32(std::span<const std::uint16_t> from, std::span<float> to) {
  check_lengths("bf16_to_f32", from.size(), to.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = bf16_to_f32(from[i]);
}

void f16_to_f32(std::span<const std::uint16_t> from, std::span<float> to) {
  check_lengths("f16_to_f32", from.size(), to.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = f16_to_f32(from[i]);
}

void f32_to_bf16(std::span<const float> from, std::span<std::uint16_t> to) {
  check_lengths("f32_to_bf16", from.size(), to.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = f32_to_bf16(from[i]);
}

}  // namespace tokensieve
