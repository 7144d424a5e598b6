#pragma once

#include "tokensieve/core/calibration.h"

namespace tokensieve {

/// This machine as a call with `threads` threads (0: one a core) uses it: the processor's name from
/// /proc/cpuinfo, with family and model where it has them, since a virtual machine may name many
/// processors alike; the threads that the call gets; the precision of the engine.
Machine this_machine(int threads = 0);

}  // namespace tokensieve
