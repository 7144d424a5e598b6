#include "tokensieve/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "safetensors_header.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/half.h"

namespace tokensieve {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

// Elements converted at a time: the buffer stays in the second-level cache.
constexpr std::size_t kChunk = std::size_t{64} << 10;

/// Converts to float; false if a finite value became infinite.
bool convert(std::span<const std::uint16_t> from, std::span<float> to, DType dtype) {
  dtype == DType::BF16 ? bf16_to_f32(from, to) : f16_to_f32(from, to);
  return true;
}

bool convert(std::span<const double> from, std::span<float> to, DType) {
  bool fits = true;
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i] = static_cast<float>(from[i]);
    fits &= std::isfinite(to[i]) || !std::isfinite(from[i]);
  }
  return fits;
}

/// Reads out.size() elements of type Stored from `offset` on as float; false as convert().
template <typename Stored>
bool read_converted(const RandomAccessFile& file, std::uint64_t offset, DType dtype,
                    std::span<float> out) {
  std::vector<Stored> chunk(std::min(kChunk, out.size()));
  bool fits = true;
  while (!out.empty()) {
    const std::span<Stored> part(chunk.data(), std::min(kChunk, out.size()));
    file.read_at(offset, std::as_writable_bytes(part));
    fits &= convert(part, out.first(part.size()), dtype);
    offset += part.size_bytes();
    out = out.subspan(part.size());
  }
  return fits;
}

std::uint64_t element_count(const TensorInfo& tensor) {
  return (tensor.end - tensor.begin) * 8 / static_cast<std::uint64_t>(dtype_bits(tensor.dtype));
}

}  // namespace

SafetensorsFile::SafetensorsFile(RandomAccessFile file,
                                 std::map<std::string, TensorInfo, std::less<>> tensors,
                                 std::map<std::string, std::string> metadata,
                                 std::uint64_t data_offset)
    : file_(std::move(file)),
      tensors_(std::move(tensors)),
      metadata_(std::move(metadata)),
      data_offset_(data_offset) {}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  RandomAccessFile file(path);
  std::uint64_t header_bytes = 0;
  check_runtime(file.size() >= sizeof header_bytes, "[safetensors] ", path.string(),
                ": expected at least 8 bytes, got ", file.size());
  file.read_at(0, std::as_writable_bytes(std::span(&header_bytes, 1)));
  check_runtime(header_bytes <= kMaxHeaderBytes, "[safetensors] ", path.string(),
                ": expected a header of at most ", kMaxHeaderBytes, " bytes, got ", header_bytes,
                "; is it a safetensors file?");
  const std::uint64_t after_length = file.size() - sizeof header_bytes;
  check_runtime(header_bytes <= after_length, "[safetensors] ", path.string(), ": expected ",
                header_bytes, " bytes of header, got ", after_length, "; the file is cut short");
  std::string text(header_bytes, '\0');
  file.read_at(sizeof header_bytes, std::as_writable_bytes(std::span(text)));
  SafetensorsHeader header =
      parse_safetensors_header(text, after_length - header_bytes, path.string());
  return SafetensorsFile(std::move(file), std::move(header.tensors), std::move(header.metadata),
                         sizeof header_bytes + header_bytes);
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  names.reserve(tensors_.size());
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

const TensorInfo& SafetensorsFile::info(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    fail_runtime("[safetensors] ", path().string(), ": expected a tensor '", printable(name),
                 "', got none of that name", printable(did_you_mean(name, names())));
  }
  return found->second;
}

void SafetensorsFile::read(std::string_view name, std::span<std::byte> out) const {
  const TensorInfo& tensor = info(name);
  check_argument(out.size() == tensor.end - tensor.begin, "[safetensors] expected room for ",
                 tensor.end - tensor.begin, " bytes of '", printable(name), "', got ", out.size());
  file_.read_at(data_offset_ + tensor.begin, out);
}

void SafetensorsFile::read_f32(std::string_view name, std::span<float> out) const {
  const TensorInfo& tensor = info(name);
  check_argument(out.size() == element_count(tensor), "[safetensors] expected room for ",
                 element_count(tensor), " floats of '", printable(name), "', got ", out.size());
  const std::uint64_t offset = data_offset_ + tensor.begin;
  bool fits = true;
  switch (tensor.dtype) {
    case DType::F32:
      file_.read_at(offset, std::as_writable_bytes(out));
      break;
    case DType::F16:
    case DType::BF16:
      read_converted<std::uint16_t>(file_, offset, tensor.dtype, out);
      break;
    case DType::F64:
      fits = read_converted<double>(file_, offset, tensor.dtype, out);
      break;
    default:
      fail_runtime("[safetensors] ", path().string(), ": expected F32, F16, BF16 or F64 in '",
                   printable(name), "', got ", dtype_name(tensor.dtype));
  }
  check_runtime(fits, "[safetensors] ", path().string(),
                ": expected values in the range of F32 in '", printable(name),
                "', got a larger F64");
}

std::vector<float> SafetensorsFile::read_f32(std::string_view name) const {
  std::vector<float> values(element_count(info(name)));
  read_f32(name, values);
  return values;
}

}  // namespace tokensieve
