#include "workspace.h"

namespace tokensieve {

RowsView<float> Workspace::Buffers::linear(const Linear& linear, RowsView<const float> x,
                                           AlignedBuffer& to, Epilogue epilogue) {
  const RowsView<float> y = to.rows<float>(x.rows, linear.out());
  linear.run(x, y, epilogue, scratchpad);
  executed_macs += x.rows * linear.in() * linear.out();
  return y;
}

Workspace::Workspace() : buffers_(std::make_unique<Buffers>()) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

size_t Workspace::bytes() const {
  const Buffers& b = *buffers_;
  size_t bytes = b.attention.threads.capacity() * sizeof(float);
  for (const AlignedBuffer* buffer :
       {&b.state, &b.next_state, &b.normed, &b.qkv, &b.attended, &b.hidden, &b.predictor_means,
        &b.parked, &b.scratchpad, &b.maps[0], &b.maps[1]}) {
    bytes += buffer->bytes();
  }
  return bytes;
}

int64_t Workspace::executed_macs() const { return buffers_->executed_macs; }

}  // namespace tokensieve
