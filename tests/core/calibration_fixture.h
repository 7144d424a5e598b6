#pragma once

#include "tokensieve/core/calibration.h"

namespace tokensieve::test {

/// dynamicvit at 0.9, 0.7 and 0.5 on 1000 samples: the middle step agrees in 995, the last in 950.
inline Calibration staircase() {
  Calibration calibration;
  calibration.recipe = "dynamicvit(keep=0.7)";
  calibration.samples = 1000;
  calibration.dense_macs = 2.26e9;
  calibration.dense_correct = 968;
  calibration.steps = {{0.9, 1.99e9, 999, 967}, {0.7, 1.47e9, 995, 960}, {0.5, 1.1e9, 950, 931}};
  return calibration;
}

inline Machine this_machine() { return {"A processor", 2, "f32"}; }

inline Latency around(double median) { return {median, 0.9 * median, 1.2 * median}; }

/// The staircase with latencies of this_machine().
inline Calibration timed(double dense, const std::vector<double>& steps) {
  Calibration calibration = staircase();
  MachineLatency latency{this_machine(), around(dense), {}};
  for (const double median : steps) latency.steps.push_back(around(median));
  calibration.latencies = {latency};
  return calibration;
}

}  // namespace tokensieve::test
