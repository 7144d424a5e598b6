#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tokensieve {

/// A regular file opened for reading at any offset. Move-only. Every read is a pread, so const
/// reads from many threads are safe, and a file that shrinks under a reader is an error, never a
/// signal.
class RandomAccessFile {
 public:
  /// Opens `path`. Throws runtime_error if it cannot be opened or is not a regular file.
  explicit RandomAccessFile(std::filesystem::path path);
  RandomAccessFile(RandomAccessFile&& other) noexcept;
  RandomAccessFile& operator=(RandomAccessFile&& other) noexcept;
  ~RandomAccessFile();

  const std::filesystem::path& path() const { return path_; }

  /// Size in bytes when the file was opened.
  std::uint64_t size() const { return size_; }

  /// Fills `out` with the bytes from `offset` on. Throws runtime_error if the file ends earlier or
  /// cannot be read.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Writes a file all or nothing: bytes go to a temporary file in the same folder, commit() syncs it
/// to the disk and renames it over `path`. Destroyed without commit(), it removes the temporary
/// file and leaves `path` as it was. A symbolic link at `path` is replaced, not followed.
class AtomicFile {
 public:
  /// Creates the temporary file. Throws runtime_error if that fails, or if `path` is there already
  /// and is something other than a file (a folder, a device).
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Appends bytes. Throws runtime_error, for example when the disk is full.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Puts the file in place; once. Throws runtime_error if syncing or renaming fails, and
  /// invalid_argument if the file was committed before.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// The ending of a file's name in small letters: ".jpg" of "A.JPG", "" where there is none. Letters
/// that are not ASCII stay as they are.
std::string lower_extension(const std::filesystem::path& path);

/// The whole of a file, as it is. Throws runtime_error if it cannot be read or has more than
/// `max_bytes`.
std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes);

/// Writes `text` to `path` through an AtomicFile, with its errors.
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace tokensieve
