#include <algorithm>
#include <nlohmann/json.hpp>

#include "safetensors_header.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/safetensors.h"

namespace tokensieve {
namespace {

void check_header_bytes(std::uint64_t bytes) {
  check_argument(bytes <= kMaxHeaderBytes, "[write_safetensors] expected at most ", kMaxHeaderBytes,
                 " bytes of names, shapes and metadata, got ", bytes);
}

/// JSON text of a string. Throws invalid_argument for invalid UTF-8.
std::string json_string(const std::string& text) {
  check_header_bytes(text.size());  // before the slow way through the encoder
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    fail_argument("[write_safetensors] expected UTF-8, got '", printable(text), "'");
  }
}

void check_tensor(const TensorData& tensor) {
  check_argument(tensor.name != kMetadataKey, "[write_safetensors] a tensor cannot be named ",
                 kMetadataKey);
  check_argument(tensor.shape.size() <= kMaxDimensions, "[write_safetensors] '",
                 printable(tensor.name), "': expected at most ", kMaxDimensions,
                 " dimensions, got ", tensor.shape.size());
  const auto bytes = tensor_bytes(tensor.dtype, tensor.shape);
  check_argument(bytes.has_value(), "[write_safetensors] '", printable(tensor.name),
                 "': shape is negative, overflows or does not fill whole bytes");
  check_argument(*bytes == tensor.bytes.size(), "[write_safetensors] '", printable(tensor.name),
                 "': expected ", *bytes, " bytes for its shape, got ", tensor.bytes.size());
}

/// Tensors in the order of the file: widest type first, then by name.
std::vector<const TensorData*> file_order(std::span<const TensorData> tensors) {
  std::vector<const TensorData*> order;
  for (const TensorData& tensor : tensors) order.push_back(&tensor);
  std::ranges::sort(order, {}, &TensorData::name);
  const auto twin = std::ranges::adjacent_find(order, {}, &TensorData::name);
  check_argument(twin == order.end(), "[write_safetensors] expected each name once, got '",
                 twin == order.end() ? "" : printable((*twin)->name), "' twice");
  std::ranges::stable_sort(order, std::ranges::greater{}, &TensorData::dtype);
  return order;
}

std::string header_text(std::span<const TensorData* const> order,
                        const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  const auto add_key = [&header](const std::string& key) {
    if (header.back() != '{') header += ',';
    header += json_string(key) + ':';
  };
  if (!metadata.empty()) {
    add_key(std::string(kMetadataKey));
    header += '{';
    for (const auto& [key, value] : metadata) {
      add_key(key);
      header += json_string(value);
    }
    header += '}';
  }
  std::uint64_t offset = 0;
  for (const TensorData* tensor : order) {
    add_key(tensor->name);
    const std::uint64_t end = offset + tensor->bytes.size();
    header += cat("{\"dtype\":\"", dtype_name(tensor->dtype),
                  "\",\"shape\":", nlohmann::json(tensor->shape).dump(), ",\"data_offsets\":[",
                  offset, ",", end, "]}");
    offset = end;
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the data starts aligned
  return header;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorData> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::ranges::for_each(tensors, check_tensor);
  const auto order = file_order(tensors);
  const std::string header = header_text(order, metadata);
  const std::uint64_t header_bytes = header.size();
  check_header_bytes(header_bytes);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header_bytes, 1)));
  file.write(header);
  for (const TensorData* tensor : order) file.write(tensor->bytes);
  file.commit();
}

}  // namespace tokensieve
