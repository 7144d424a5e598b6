#include "run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tokensieve/core/error.h"

namespace tokensieve::nn {

RunLock::RunLock(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::string path = (folder / ".lock").string();
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  check_runtime(file_ >= 0, "[train] could not open ", path, ": ", std::strerror(errno));
  if (flock(file_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  close(file_);
  check_runtime(error != EWOULDBLOCK, "[train] another process is training into ", folder.string(),
                "; wait for it, or give another --out");
  fail_runtime("[train] could not lock ", path, ": ", std::strerror(error));
}

RunLock::~RunLock() { close(file_); }

}  // namespace tokensieve::nn
