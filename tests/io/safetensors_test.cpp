#include "tokensieve/io/safetensors.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include "temp_folder.h"
#include "tokensieve/io/half.h"

using namespace tokensieve;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

const fs::path kPythonWritten = fs::path(TOKENSIEVE_TEST_DATA) / "python_written.safetensors";
constexpr std::uint64_t kAnySize = std::uint64_t{1} << 20;

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

std::vector<std::byte> read_bytes(const SafetensorsFile& file, const std::string& name) {
  const TensorInfo& tensor = file.info(name);
  std::vector<std::byte> bytes(tensor.end - tensor.begin);
  file.read(name, bytes);
  return bytes;
}

}  // namespace

TEST_CASE("A file written by the Python package reads as it was written", "[io][safetensors]") {
  const auto file = SafetensorsFile::open(kPythonWritten);
  CHECK(file.path() == kPythonWritten);
  CHECK(file.metadata() == std::map<std::string, std::string>{{"note", "a \"quoted\"\nline"}});
  CHECK(file.names() ==
        std::vector<std::string>{"block.weight", "block.weight_bf16", "block.weight_f16",
                                 "block.weight_f64", "block.weight_f8", "extremes_f16",
                                 "größe/尺寸 \"x\"", "mask", "nothing", "pixels", "steps"});

  const std::vector<float> ramp{-0.5f, -0.25f, 0.0f, 0.25f, 0.5f, 0.75f};
  for (const char* name :
       {"block.weight", "block.weight_bf16", "block.weight_f16", "block.weight_f64"}) {
    CAPTURE(name);
    CHECK(file.info(name).shape == std::vector<std::int64_t>{2, 3});
    CHECK(file.read_f32(name) == ramp);
  }
  CHECK(file.info("block.weight_f8").dtype == DType::F8_E4M3);
  CHECK(file.read_f32("größe/尺寸 \"x\"") == std::vector<float>{1.5f});
  CHECK(file.read_f32("nothing").empty());
  CHECK(file.info("nothing").shape == std::vector<std::int64_t>{0, 4});

  const auto extremes = file.read_f32("extremes_f16");
  CHECK(extremes[0] == 65504.0f);
  CHECK(extremes[1] == -0x1p-24f);
  CHECK(extremes[2] == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(extremes[3]));

  CHECK(file.info("steps").shape.empty());
  const std::int64_t steps = -(std::int64_t{1} << 40);
  CHECK(read_bytes(file, "steps") ==
        std::vector<std::byte>(std::as_bytes(std::span(&steps, 1)).begin(),
                               std::as_bytes(std::span(&steps, 1)).end()));
  CHECK(read_bytes(file, "mask") ==
        std::vector<std::byte>{std::byte{1}, std::byte{0}, std::byte{1}});
  CHECK(read_bytes(file, "pixels")[4] == std::byte{4});
}

TEST_CASE("A file written by the Python package is written again byte for byte",
          "[io][safetensors]") {
  const auto file = SafetensorsFile::open(kPythonWritten);
  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorData> tensors;
  for (const std::string& name : file.names()) {
    bytes.push_back(read_bytes(file, name));
    const TensorInfo& info = file.info(name);
    tensors.push_back({name, info.dtype, info.shape, bytes.back()});
  }
  const TempFolder folder;
  write_safetensors(folder / "copy", tensors, file.metadata());
  CHECK(read_text_file(folder / "copy", kAnySize) == read_text_file(kPythonWritten, kAnySize));
}

TEST_CASE("What is written reads back, in any type and of any length", "[io][safetensors]") {
  const std::size_t count = GENERATE(std::size_t{0}, 1, 65535, 65536, 65537, 200000);
  std::vector<float> f32(count);
  std::iota(f32.begin(), f32.end(), -1000.0f);
  std::vector<std::uint16_t> bf16(count);
  f32_to_bf16(f32, bf16);
  const std::vector<double> f64(f32.begin(), f32.end());
  const auto length = static_cast<std::int64_t>(count);

  const TempFolder folder;
  write_safetensors(folder / "f",
                    std::vector<TensorData>{{"a", DType::BF16, {length}, bytes_of(bf16)},
                                            {"b", DType::F32, {1, length}, bytes_of(f32)},
                                            {"c", DType::F64, {length}, bytes_of(f64)}});
  const auto file = SafetensorsFile::open(folder / "f");
  CHECK(file.read_f32("b") == f32);
  CHECK(file.read_f32("c") == f32);
  std::vector<float> widened(count);
  bf16_to_f32(bf16, widened);
  CHECK(file.read_f32("a") == widened);
}

TEST_CASE("An empty file of tensors is a file of tensors", "[io][safetensors]") {
  const TempFolder folder;
  write_safetensors(folder / "f", {});
  const auto file = SafetensorsFile::open(folder / "f");
  CHECK(file.names().empty());
  CHECK(file.metadata().empty());
}

TEST_CASE("A missing tensor is an error that suggests the nearest name", "[io][safetensors]") {
  const auto file = SafetensorsFile::open(kPythonWritten);
  CHECK(file.contains("mask"));
  CHECK_FALSE(file.contains("mosk"));
  CHECK_THROWS_AS(file.info("mosk"), std::runtime_error);
  CHECK_THROWS_WITH(file.info("mosk"), Contains("python_written.safetensors") &&
                                           Contains("'mosk'") &&
                                           Contains("(did you mean 'mask'?)"));
  CHECK_THROWS_WITH(file.read_f32("block.wieght"), Contains("(did you mean 'block.weight'?)"));
  CHECK_THROWS_WITH(file.read("unlike any of them", {}), !Contains("did you mean"));
}

TEST_CASE("Reading asks for room of exactly the tensor's size", "[io][safetensors]") {
  const auto file = SafetensorsFile::open(kPythonWritten);
  std::vector<float> floats(5);
  std::vector<std::byte> bytes(25);
  CHECK_THROWS_AS(file.read_f32("block.weight", floats), std::invalid_argument);
  CHECK_THROWS_WITH(file.read_f32("block.weight", floats),
                    Contains("room for 6 floats") && Contains("got 5"));
  CHECK_THROWS_AS(file.read("block.weight", bytes), std::invalid_argument);
  CHECK_THROWS_WITH(file.read("block.weight", bytes),
                    Contains("room for 24 bytes") && Contains("got 25"));
}

TEST_CASE("Types without a plain float value are not read as float", "[io][safetensors]") {
  const auto file = SafetensorsFile::open(kPythonWritten);
  const char* name = GENERATE("steps", "mask", "pixels", "block.weight_f8");
  CHECK_THROWS_AS(file.read_f32(name), std::runtime_error);
  CHECK_THROWS_WITH(file.read_f32(name),
                    Contains("expected F32, F16, BF16 or F64") && Contains(name));
}

TEST_CASE("An F64 value past the range of F32 is refused, infinity and NaN are not",
          "[io][safetensors]") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> fine{3.4028234e38, -kInfinity, std::nan(""), 1e-300};
  const std::vector<double> large{0.0, -3.5e38};
  const TempFolder folder;
  write_safetensors(folder / "f",
                    std::vector<TensorData>{{"fine", DType::F64, {4}, bytes_of(fine)},
                                            {"large", DType::F64, {2}, bytes_of(large)}});
  const auto file = SafetensorsFile::open(folder / "f");
  const auto values = file.read_f32("fine");
  CHECK(values[1] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(values[2]));
  CHECK(values[3] == 0.0f);
  CHECK_THROWS_AS(file.read_f32("large"), std::runtime_error);
  CHECK_THROWS_WITH(file.read_f32("large"), Contains("range of F32") && Contains("'large'"));
}

TEST_CASE("A file cut short after it was opened is an error, not a signal", "[io][safetensors]") {
  const std::vector<float> values(100'000, 1.0f);
  const std::vector<std::uint16_t> halves(100'000, 0x3F80);
  const TempFolder folder;
  write_safetensors(folder / "f",
                    std::vector<TensorData>{{"a", DType::F32, {100'000}, bytes_of(values)},
                                            {"b", DType::BF16, {100'000}, bytes_of(halves)}});
  const auto file = SafetensorsFile::open(folder / "f");
  fs::resize_file(folder / "f", 200'000);
  CHECK_THROWS_WITH(file.read_f32("a"), Contains("cut short"));
  CHECK_THROWS_WITH(file.read_f32("b"), Contains("cut short"));
  CHECK_THROWS_WITH(read_bytes(file, "a"), Contains("cut short"));
}

TEST_CASE("A file can be moved, not copied, and read by many threads", "[io][safetensors]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<SafetensorsFile>);
  auto opened = SafetensorsFile::open(kPythonWritten);
  const SafetensorsFile file = std::move(opened);
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&file, &wrong] {
      for (int repeat = 0; repeat < 200; ++repeat) {
        wrong += file.read_f32("block.weight_bf16") != file.read_f32("block.weight");
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("What cannot be a safetensors file is not written", "[io][safetensors]") {
  const TempFolder folder;
  const std::vector<std::byte> eight(8);
  const auto refusal = [&](std::vector<TensorData> tensors,
                           const std::map<std::string, std::string>& metadata = {}) {
    try {
      write_safetensors(folder / "f", tensors, metadata);
    } catch (const std::invalid_argument& error) {
      CHECK(fs::is_empty(folder.path()));
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK_THAT(refusal({{"a", DType::U8, {8}, eight},
                      {"b", DType::U8, {8}, eight},
                      {"a", DType::F32, {2}, eight}}),
             Contains("each name once, got 'a' twice"));
  CHECK_THAT(refusal({{"__metadata__", DType::U8, {8}, eight}}),
             Contains("cannot be named __metadata__"));
  CHECK_THAT(refusal({{"a", DType::F32, {3}, eight}}),
             Contains("'a': expected 12 bytes for its shape, got 8"));
  CHECK_THAT(refusal({{"a", DType::F32, {-2}, eight}}), Contains("'a': shape is negative"));
  CHECK_THAT(refusal({{"a", DType::U8, std::vector<std::int64_t>(65, 1), eight}}),
             Contains("at most 64 dimensions, got 65"));
  CHECK_THAT(refusal({{"a\xFF", DType::U8, {8}, eight}}), Contains("expected UTF-8"));
  CHECK_THAT(refusal({}, {{"key", "\xC3"}}), Contains("expected UTF-8"));
}

TEST_CASE("A header that readers would refuse for its size is not written", "[io][safetensors]") {
  const TempFolder folder;
  std::map<std::string, std::string> metadata;
  metadata["key"].assign(100'000'001, 'x');
  CHECK_THROWS_AS(write_safetensors(folder / "f", {}, metadata), std::invalid_argument);
  CHECK_THROWS_WITH(write_safetensors(folder / "f", {}, metadata),
                    Contains("at most 100000000 bytes"));
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("A safetensors file that cannot be written is an error with its path",
          "[io][safetensors]") {
  const TempFolder folder;
  CHECK_THROWS_AS(write_safetensors(folder / "none/f", {}), std::runtime_error);
  CHECK_THROWS_WITH(write_safetensors(folder / "none/f", {}), Contains("none/f"));
}
