#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tokensieve {

/// Upper bound on the threads of a call.
inline constexpr int kMaxThreads = 1024;

/// Buffers of one caller of Vit::run or Bert::run; they grow to what a run needs and are reused
/// afterwards, so a warm run allocates no activations. Not for two threads at once.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  /// Bytes of the activations held at present, without what sites and masked heads note of rows.
  size_t bytes() const;
  /// Multiply-accumulates of the last run, summed call by call as the kernels ran.
  int64_t executed_macs() const;

  struct Buffers;
  Buffers& buffers() { return *buffers_; }

 private:
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace tokensieve
