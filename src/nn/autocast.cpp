#include "tokensieve/nn/autocast.h"

#include <ATen/autocast_mode.h>

namespace tokensieve::nn {

Autocast::Autocast(torch::Device device, bool enabled)
    : device_(device.type()), was_enabled_(at::autocast::is_autocast_enabled(device_)) {
  at::autocast::increment_nesting();
  at::autocast::set_autocast_enabled(device_, enabled);
  if (enabled) at::autocast::set_autocast_dtype(device_, torch::kBFloat16);
}

Autocast::~Autocast() {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
}

}  // namespace tokensieve::nn
