#include "speed.h"

#include <algorithm>
#include <chrono>

#include "progress.h"
#include "runs.h"

namespace tokensieve::cli {
namespace {

using Pixels = std::vector<std::vector<float>>;

/// Of one recipe at one batch size.
struct Timing {
  std::vector<double> seconds;  ///< Of each round, for all pictures.
  double macs = 0.0;            ///< Of all pictures.
};

Pixels sample_pixels(const Classifier& classifier, std::span<const std::filesystem::path> pictures,
                     const DecodeOptions& decode) {
  Pixels pixels;
  const size_t count = std::min(kSpeedPictures, pictures.size());
  for (size_t i = 0; i < count; ++i) {
    const std::filesystem::path& path = pictures[i * pictures.size() / count];
    pixels.push_back(classifier.preprocess(read_image(path, decode)));
  }
  for (size_t i = count; i < kSpeedPictures; ++i) pixels.push_back(pixels[i - count]);
  return pixels;
}

/// One round at one batch size; what it took is added to `timings`, one for each contender.
void run_round(std::span<const Contender> contenders, std::span<const PixelsView> pictures,
               size_t batch, size_t round, std::vector<Timing>& timings) {
  using Clock = std::chrono::steady_clock;
  for (Timing& timing : timings) {
    timing.seconds.push_back(0.0);
    timing.macs = 0.0;
  }
  for (size_t done = 0; done < pictures.size(); done += batch) {
    const auto part = pictures.subspan(done, std::min(batch, pictures.size() - done));
    for (size_t i = 0; i < contenders.size(); ++i) {
      const size_t r = (i + round + done / batch) % contenders.size();
      const Contender& contender = contenders[r];
      const auto start = Clock::now();
      const auto answers = contender.classifier->classify(part, contender.recipe.recipe);
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
    rates.push_back(static_cast<double>(kSpeedPictures) / timing.seconds[round]);
    ratios.push_back(first.seconds[round] / timing.seconds[round]);
  }
  const double mac_gain = first.macs / timing.macs;
  const double speedup = median(ratios);
  return {batch,    median(rates),     quartiles(rates), speedup, quartiles(ratios),
          mac_gain, speedup / mac_gain};
}

}  // namespace

std::vector<std::vector<Speed>> measure_speed(std::span<const Contender> contenders,
                                              std::span<const std::filesystem::path> pictures,
                                              const SpeedOptions& options) {
  const Classifier& classifier = *contenders.front().classifier;  // all preprocess alike
  const Pixels pixels = sample_pixels(classifier, pictures, options.decode);
  const auto views = views_of(classifier.folder(), pixels);
  const size_t rounds = static_cast<size_t>(options.rounds) + 1;
  Progress progress("speed", std::size(kSpeedBatches) * rounds);
  std::vector<std::vector<Speed>> speeds(contenders.size());
  size_t done = 0;
  for (const int batch : kSpeedBatches) {
    std::vector<Timing> timings(contenders.size());
    for (size_t round = 0; round < rounds; ++round) {
      run_round(contenders, views, static_cast<size_t>(batch), round, timings);
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
