#include "weight_memory.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>

using namespace tokensieve;

TEST_CASE("weight memory is aligned, apart and stays what it was", "[engine][weight_memory]") {
  WeightMemory memory;
  const size_t sizes[] = {1, 4096, 100'000, 5'000'000, 20'000'000, 64};
  std::byte* parts[std::size(sizes)];
  for (size_t i = 0; i < std::size(sizes); ++i) {
    parts[i] = static_cast<std::byte*>(memory.take(sizes[i]));
    CHECK(reinterpret_cast<uintptr_t>(parts[i]) % 4096 == 0);
    std::memset(parts[i], static_cast<int>(i), sizes[i]);
  }
  for (size_t i = 0; i < std::size(sizes); ++i) {
    CHECK(parts[i][0] == std::byte(i));
    CHECK(parts[i][sizes[i] - 1] == std::byte(i));
  }
}

TEST_CASE("weight memory says when there is none", "[engine][weight_memory][errors]") {
  WeightMemory memory;
  CHECK_THROWS_AS(memory.take(std::numeric_limits<size_t>::max() / 4), std::bad_alloc);
}
