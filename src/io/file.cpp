#include "tokensieve/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

[[noreturn]] void fail_errno(const char* operation, const char* action,
                             const std::filesystem::path& path) {
  const int code = errno;
  fail_runtime("[", operation, "] cannot ", action, " ", path.string(), ": ", std::strerror(code));
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// Makes the rename itself last through a power cut. File systems that cannot sync a folder say
/// EINVAL; there is nothing to do about those.
void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

RandomAccessFile::RandomAccessFile(std::filesystem::path path) : path_(std::move(path)) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail_errno("read", "open", path_);
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail_runtime("[read] expected a file, but ", path_.string(), " is ",
                 known && S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

RandomAccessFile::RandomAccessFile(RandomAccessFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(std::exchange(other.size_, 0)) {}

RandomAccessFile& RandomAccessFile::operator=(RandomAccessFile&& other) noexcept {
  path_.swap(other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

RandomAccessFile::~RandomAccessFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RandomAccessFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  const bool inside = offset <= size_ && out.size() <= size_ - offset;
  std::size_t done = 0;
  while (inside && done < out.size()) {
    const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("read", "read", path_);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  check_runtime(inside && done == out.size(), "[read] expected ", out.size(), " bytes at byte ",
                offset, " of ", path_.string(), ", but the file ends before; was it cut short?");
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  check_argument(path_.has_filename(), "[write] expected the path of a file, got '", path_.string(),
                 "'");
  std::error_code ignored;
  const auto present = std::filesystem::status(path_, ignored);  // behind links: /dev/stdout is one
  check_runtime(!std::filesystem::exists(present) || std::filesystem::is_regular_file(present),
                "[write] expected a file or nothing at ", path_.string(),
                ", but there is a folder or a device");
  // Not mkstemp: its files are private to the user, these get the usual rights.
  static std::atomic<unsigned> counter{0};
  do {
    temporary_ = path_;
    temporary_ += cat(".tmp-", ::getpid(), "-", counter++);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail_errno("write", "create a file beside", path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  check_argument(descriptor_ >= 0, "[write] expected an open file, but ", path_.string(),
                 " is committed");
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_errno("write", "write", temporary_);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  check_argument(descriptor_ >= 0, "[write] expected one commit, but ", path_.string(),
                 " is committed");
  if (::fsync(descriptor_) != 0) fail_errno("write", "sync", temporary_);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail_errno("write", "close", temporary_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("write", "replace", path_);
  temporary_.clear();
  sync_folder(folder_of(path_));
}

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension;
}

std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const RandomAccessFile file(path);
  check_runtime(file.size() <= max_bytes, "[read] expected at most ", max_bytes, " bytes in ",
                path.string(), ", got ", file.size());
  std::string text(file.size(), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void write_text_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace tokensieve
