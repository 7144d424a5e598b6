#include "speed.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "progress.h"

namespace tokensieve::cli {
namespace {

/// Of one recipe at one batch size.
struct Timing {
  std::vector<double> seconds;  ///< Of each round, for all samples.
  double macs = 0.0;            ///< Of all samples.
};

/// The timed samples, for each contender as its model reads them.
using TimedInputs = std::map<const Samples*, std::vector<Input>>;

std::vector<Input> timed_inputs(const Samples& samples, std::span<const size_t> indices) {
  std::vector<Input> inputs;
  for (const size_t i : spread(indices.size(), kSpeedSamples)) {
    inputs.push_back(samples.read(indices[i]));
  }
  const size_t count = inputs.size();
  for (size_t i = count; i < kSpeedSamples; ++i) inputs.push_back(inputs[i - count]);
  return inputs;
}

/// One round at one batch size; what it took is added to `timings`, one for each contender.
void run_round(std::span<const Contender> contenders, const TimedInputs& inputs, size_t batch,
               size_t round, std::vector<Timing>& timings) {
  using Clock = std::chrono::steady_clock;
  for (Timing& timing : timings) {
    timing.seconds.push_back(0.0);
    timing.macs = 0.0;
  }
  for (size_t done = 0; done < kSpeedSamples; done += batch) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      const size_t r = (i + round + done / batch) % contenders.size();
      const Contender& contender = contenders[r];
      const auto part = std::span(inputs.at(contender.samples))
                            .subspan(done, std::min(batch, kSpeedSamples - done));
      const auto start = Clock::now();
      const auto answers = contender.model->classify(part, contender.recipe.recipe);
      timings[r].seconds.back() += std::chrono::duration<double>(Clock::now() - start).count();
      for (const Classification& answer : answers) {
        timings[r].macs += static_cast<double>(answer.output.macs.total());
      }
    }
  }
}

Speed speed_of(int batch, const Timing& timing, const Timing& first) {
  std::vector<double> rates, ratios;
  for (size_t round = 0; round < timing.seconds.size(); ++round) {
    rates.push_back(static_cast<double>(kSpeedSamples) / timing.seconds[round]);
    ratios.push_back(first.seconds[round] / timing.seconds[round]);
  }
  const double mac_gain = first.macs / timing.macs;
  const double speedup = median(ratios);
  return {batch,    median(rates),     quartiles(rates), speedup, quartiles(ratios),
          mac_gain, speedup / mac_gain};
}

}  // namespace

std::vector<std::vector<Speed>> measure_speed(std::span<const Contender> contenders,
                                              std::span<const size_t> indices, int rounds) {
  TimedInputs inputs;
  for (const Contender& contender : contenders) {
    const Samples* samples = contender.samples;
    if (!inputs.contains(samples)) inputs.emplace(samples, timed_inputs(*samples, indices));
  }
  const size_t turns = static_cast<size_t>(rounds) + 1;
  Progress progress("speed", std::size(kSpeedBatches) * turns);
  std::vector<std::vector<Speed>> speeds(contenders.size());
  size_t done = 0;
  for (const int batch : kSpeedBatches) {
    std::vector<Timing> timings(contenders.size());
    for (size_t round = 0; round < turns; ++round) {
      run_round(contenders, inputs, static_cast<size_t>(batch), round, timings);
      if (round == 0) {  // to warm up
        for (Timing& timing : timings) timing.seconds.clear();
      }
      progress.update(++done);
    }
    for (size_t r = 0; r < contenders.size(); ++r) {
      speeds[r].push_back(speed_of(batch, timings[r], timings.front()));
    }
  }
  return speeds;
}

}  // namespace tokensieve::cli
