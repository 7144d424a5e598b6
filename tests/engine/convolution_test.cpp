#include "onednn/convolution.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <thread>

#include "random_model.h"

using namespace tokensieve;
using test::random_values;

namespace {

MemoryWeights convolution_weights(const ConvolutionOptions& o) {
  MemoryWeights weights;
  weights.set("conv.weight", {o.out, o.in, o.kernel, o.kernel},
              random_values(o.out * o.in * o.kernel * o.kernel, 1, 0.2f));
  weights.set("conv.bias", {o.out}, random_values(o.out, 2));
  return weights;
}

/// Channels last, as its definition has it.
std::vector<float> plain(const MemoryWeights& source, const ConvolutionOptions& o,
                         std::span<const float> x, int64_t height, int64_t width) {
  const auto weight = source.WeightSource::read(
      "conv.weight", std::vector<int64_t>{o.out, o.in, o.kernel, o.kernel});
  const auto bias = source.WeightSource::read("conv.bias", std::vector<int64_t>{o.out});
  std::vector<float> result;
  for (int64_t top = -o.padding; top + o.kernel <= height + o.padding; top += o.stride) {
    for (int64_t left = -o.padding; left + o.kernel <= width + o.padding; left += o.stride) {
      for (int64_t out = 0; out < o.out; ++out) {
        double sum = bias[out];
        for (int64_t in = 0; in < o.in; ++in) {
          for (int64_t i = 0; i < o.kernel; ++i) {
            for (int64_t j = 0; j < o.kernel; ++j) {
              const int64_t r = top + i, c = left + j;
              if (r < 0 || c < 0 || r >= height || c >= width) continue;
              sum += double{x[(r * width + c) * o.in + in]} *
                     weight[((out * o.in + in) * o.kernel + i) * o.kernel + j];
            }
          }
        }
        result.push_back(static_cast<float>(o.relu ? std::max(sum, 0.0) : sum));
      }
    }
  }
  return result;
}

void check_close(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  float worst = 0.0f;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));
  CHECK(worst < 5e-5f);
}

struct Fixture {
  explicit Fixture(const ConvolutionOptions& options, size_t capacity = 64)
      : weights(convolution_weights(options)),
        cache(capacity),
        convolution(weights, "conv", options, cache) {}

  std::vector<float> run(int64_t height, int64_t width) {
    const auto x = random_values(height * width * convolution.options().in, 3);
    std::vector<float> y(
        static_cast<size_t>(convolution.output_side(height) * convolution.output_side(width) *
                            convolution.options().out));
    AlignedBuffer scratchpad;
    convolution.run(x.data(), height, width, y.data(), scratchpad);
    return y;
  }
  std::vector<float> expected(int64_t height, int64_t width) {
    return plain(weights, convolution.options(),
                 random_values(height * width * convolution.options().in, 3), height, width);
  }

  MemoryWeights weights;
  ConvolutionCache cache;
  Convolution convolution;
};

constexpr ConvolutionOptions kSame{
    .in = 10, .out = 16, .kernel = 3, .stride = 1, .padding = 1, .relu = true};

}  // namespace

TEST_CASE("a convolution equals plain loops at every size of the map", "[engine][convolution]") {
  const auto options =
      GENERATE(as<ConvolutionOptions>{}, kSame,
               ConvolutionOptions{.in = 3, .out = 10, .kernel = 7, .stride = 2, .padding = 3},
               ConvolutionOptions{.in = 64, .out = 64, .kernel = 3, .padding = 1, .relu = true},
               ConvolutionOptions{.in = 10, .out = 48, .kernel = 4, .stride = 4},
               ConvolutionOptions{.in = 64, .out = 40, .kernel = 8, .stride = 8},
               ConvolutionOptions{.in = 1, .out = 1});
  CAPTURE(options.in, options.out, options.kernel);
  Fixture fixture(options);
  for (const auto& [height, width] : {std::pair{8, 8}, {8, 24}, {32, 16}, {40, 40}}) {
    CAPTURE(height, width);
    check_close(fixture.run(height, width), fixture.expected(height, width));
  }
  check_close(fixture.run(8, 8), fixture.expected(8, 8));  // a size seen before
}

TEST_CASE("a convolution counts its products, padding counted", "[engine][convolution]") {
  const Fixture fixture({.in = 3, .out = 64, .kernel = 7, .stride = 2, .padding = 3});
  CHECK(fixture.convolution.output_side(224) == 112);
  CHECK(fixture.convolution.macs(224, 224) == 118'013'952);
}

TEST_CASE("the cache of convolutions keeps its bound", "[engine][convolution]") {
  Fixture fixture(kSame, 2);
  for (int64_t side = 3; side < 9; ++side) fixture.run(side, side);
  CHECK(fixture.cache.size() == 2);
  check_close(fixture.run(3, 3), fixture.expected(3, 3));
}

TEST_CASE("convolutions of one kind share their primitives", "[engine][convolution]") {
  Fixture fixture(kSame);
  fixture.run(5, 5);
  Convolution other(fixture.weights, "conv", kSame, fixture.cache);
  AlignedBuffer scratchpad;
  const auto x = random_values(5 * 5 * 10, 3);
  std::vector<float> y(5 * 5 * 16);
  other.run(x.data(), 5, 5, y.data(), scratchpad);
  CHECK(fixture.cache.size() == 1);
  check_close(y, fixture.expected(5, 5));
}

TEST_CASE("threads may meet sizes for the first time at once", "[engine][convolution]") {
  Fixture fixture({.in = 10, .out = 48, .kernel = 4, .stride = 4});
  const auto expected = fixture.expected(16, 8);
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> found(4);
  for (auto& y : found) threads.emplace_back([&] { y = fixture.run(16, 8); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& y : found) check_close(y, expected);
}

TEST_CASE("weights of another shape are refused", "[engine][convolution][errors]") {
  ConvolutionCache cache(4);
  const MemoryWeights weights = convolution_weights(kSame);
  ConvolutionOptions other = kSame;
  other.kernel = 5;
  CHECK_THROWS_WITH(Convolution(weights, "conv", other, cache), Catch::Contains("conv.weight"));
  CHECK_THROWS_AS(Convolution(weights, "none", kSame, cache), std::runtime_error);
}
