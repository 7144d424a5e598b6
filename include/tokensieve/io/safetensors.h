#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/io/dtype.h"
#include "tokensieve/io/file.h"

namespace tokensieve {

/// One tensor of a safetensors file: row-major, little-endian, in the bytes [begin, end) of the
/// data that follows the header.
struct TensorInfo {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin;
  std::uint64_t end;
};

/// A safetensors file opened for reading. The header is read and checked once, by open(): nothing
/// in a file that opened can make a later call read outside of it. Tensors are read when asked for.
/// Move-only; const calls from many threads are safe.
class SafetensorsFile {
 public:
  /// Opens a file. Throws runtime_error naming path and fault if it cannot be read or breaks a rule
  /// of the format: a header over 100 MB or past the end of the file; no JSON object of tensors and
  /// string metadata; a duplicate, unknown or missing key; an unknown dtype; a shape that is
  /// negative, over 64 dimensions or does not match its bytes; bytes that overlap, leave a hole,
  /// stop short of the end of the file or pass it.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }

  /// Names of all tensors, sorted.
  std::vector<std::string> names() const;

  bool contains(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }

  /// One tensor's type and shape. Throws runtime_error if there is none of that name, with the
  /// nearest name there is.
  const TensorInfo& info(std::string_view name) const;

  /// The free-form text pairs of the header; may be empty.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// Reads a tensor's bytes as they are. `out` must have exactly end - begin bytes, else
  /// invalid_argument. Throws runtime_error as info() does, or if the file has shrunk since.
  void read(std::string_view name, std::span<std::byte> out) const;

  /// Reads an F32, F16, BF16 or F64 tensor as float. `out` must have exactly one float an element,
  /// else invalid_argument. Throws runtime_error as read() does, for other types, and for a finite
  /// F64 value that a float cannot hold.
  void read_f32(std::string_view name, std::span<float> out) const;

  /// The same into a new vector.
  std::vector<float> read_f32(std::string_view name) const;

 private:
  SafetensorsFile(RandomAccessFile file, std::map<std::string, TensorInfo, std::less<>> tensors,
                  std::map<std::string, std::string> metadata, std::uint64_t data_offset);

  RandomAccessFile file_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
  std::uint64_t data_offset_;
};

/// A tensor to write: `bytes` are its elements, row-major and little-endian.
struct TensorData {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes a safetensors file, all or nothing (AtomicFile), laid out as the reference implementation
/// does: widest types first, then by name, the header padded to 8 bytes. Throws invalid_argument if
/// a name comes twice, is `__metadata__` or not UTF-8, if shape and bytes disagree, or if the
/// header exceeds 100 MB; runtime_error if the file cannot be written.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorData> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace tokensieve
