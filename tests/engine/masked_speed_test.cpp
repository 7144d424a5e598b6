// Timings, hidden from the default run: test_engine "[masked_speed]" on an idle machine.

#include <omp.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <iostream>
#include <random>

#include "kernels/attention.h"

using namespace tokensieve;

namespace {

/// Seconds this thread has computed, which other programs on the machine do not count in.
double thread_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double fastest(const AttentionInput& input, const AttentionOutput& output) {
  AttentionScratch scratch;
  double best = 1e9;
  for (int i = 0; i < 100; ++i) {
    const double before = thread_seconds();
    attention(input, output, scratch);
    best = std::min(best, thread_seconds() - before);
  }
  return best;
}

}  // namespace

TEST_CASE("a masked head at 197 rows takes a third of the time", "[.][engine][masked_speed]") {
  constexpr int kHeads = 6, kDim = 64, kRows = 197;
  const bool columns = GENERATE(false, true);  // with the sums a site asks for, too
  const int reach = GENERATE(1, 2, 6);
  std::vector<float> qkv(static_cast<size_t>(kRows * 3 * kHeads * kDim));
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0.0f, 0.5f);
  for (float& value : qkv) value = normal(generator);
  std::vector<float> rows(static_cast<size_t>(kRows * kHeads * kDim)), mean(kRows);
  std::vector<int32_t> origin = {-1};
  for (int32_t i = 0; i < 196; ++i) origin.push_back(i);
  const auto layout = RaggedLayout::uniform(1, kRows);
  AttentionMasks masks;
  masks.rows = masks.columns = reach;
  Neighbourhoods near;
  list_neighbourhoods(masks, layout, origin, 1, std::vector<int64_t>{14}, std::vector<int64_t>{196},
                      near);
  NeighbourTables tables;
  tables.fill(near, layout);
  AttentionInput input;
  input.qkv = {qkv.data(), kRows, 3 * kHeads * kDim};
  input.num_heads = kHeads;
  input.head_dim = kDim;
  input.layout = &layout;
  AttentionOutput output;
  output.rows = {rows.data(), kRows, kHeads * kDim};
  if (columns) output.column_mean = mean;

  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const double plain = fastest(input, output);
  const std::vector<int> all = {0, 1, 2, 3, 4, 5};
  input.masked_heads = all;
  input.neighbourhoods = &near;
  input.tables = &tables;
  const double masked = fastest(input, output);
  omp_set_num_threads(threads);
  std::cout << 2 * reach + 1 << " x " << 2 * reach + 1 << (columns ? ", column sums" : "") << ": "
            << 1e6 * plain / kHeads << " us a head without masks, " << 1e6 * masked / kHeads
            << " with, " << plain / masked << " times faster\n";
  if (reach == 1) CHECK(plain >= 3 * masked);
  CHECK(masked < 1.1 * plain);
}
