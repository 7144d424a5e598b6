#pragma once

#include <filesystem>

namespace tokensieve::nn {

/// Keeps other processes from training into the same folder for as long as it lives. The system
/// lets go of it when the process ends, however it ends.
class RunLock {
 public:
  /// Makes the folder if it is not there. Throws std::runtime_error when another process holds it,
  /// or the folder cannot be written.
  explicit RunLock(const std::filesystem::path& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int file_;
};

}  // namespace tokensieve::nn
