#include "broken_pictures.h"

#include <algorithm>
#include <atomic>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve::cli {

ImageDataset without_broken(const ImageDataset& pictures, const DecodeOptions& decode,
                            int workers) {
  const size_t count = pictures.samples.size();
  std::vector<std::string> wrong(count);  // what is, each written by the thread that took it
  std::atomic<size_t> next = 0;
  const auto read = [&] {
    for (size_t i; (i = next++) < count;) {
      try {
        (void)read_image(pictures.samples[i].path, decode);
      } catch (const std::runtime_error& error) {
        wrong[i] = error.what();
      }
    }
  };
  {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < (workers > 0 ? static_cast<unsigned>(workers) : cores); ++i) {
      threads.emplace_back(read);
    }
    read();
  }
  ImageDataset sound{pictures.classes, {}};
  std::string first;
  for (size_t i = 0; i < count; ++i) {
    if (wrong[i].empty()) {
      sound.samples.push_back(pictures.samples[i]);
    } else if (first.empty()) {
      first = wrong[i];
    }
  }
  if (!first.empty()) {
    std::cerr << "leaving out " << count - sound.samples.size() << " of " << count
              << " pictures that cannot be read, first " << printable(first) << "\n";
  }
  std::vector<bool> seen(pictures.classes.size());
  for (const Sample& sample : sound.samples) seen[static_cast<size_t>(sample.label)] = true;
  for (size_t c = 0; c < seen.size(); ++c) {
    check_runtime(seen[c], "[train] expected pictures of each class, got none of '",
                  pictures.classes[c], "' that can be read, first ", printable(first));
  }
  return sound;
}

}  // namespace tokensieve::cli
