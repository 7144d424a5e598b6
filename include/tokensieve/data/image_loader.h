#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tokensieve/data/augmentation.h"
#include "tokensieve/data/mixing.h"
#include "tokensieve/io/dataset.h"
#include "tokensieve/io/image.h"
#include "tokensieve/io/preprocess.h"

namespace tokensieve {

/// What a network takes in one step: n pictures.
struct Batch {
  std::int64_t step = 0;   ///< Counted from 0 through all epochs.
  std::int64_t epoch = 0;  ///< The pass over the data set that it belongs to.
  /// [n, 3, height, width], normalised.
  std::vector<float> pixels;
  /// [n], each picture's own class, whatever it was mixed with.
  std::vector<std::int64_t> labels;
  /// [n, classes], each row with a sum of 1: smoothed and mixed as the pixels are.
  std::vector<float> targets;
  /// [n], where the pictures stand in the data set.
  std::vector<std::int64_t> indices;
  /// [n], what each shows of its picture; empty without augmentation, which shows all the same.
  std::vector<Crop> crops;
  /// How the pixels were mixed; lambda 1 if they were not.
  Mixture mixture;

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

/// How a data set becomes batches. The defaults are for training.
struct LoaderOptions {
  int batch_size = 128;
  /// Decides order, augmentation and mixing, together with the epoch and the step.
  std::uint64_t seed = 0;
  /// Each epoch in an order of its own; off: in the order of the data set.
  bool shuffle = true;
  /// Leave out what does not fill a batch at the end of an epoch (other pictures each time if
  /// shuffled); off: the last batch is shorter.
  bool drop_last = true;
  /// None: the evaluation transform, preprocess().
  std::optional<Augmentation> augmentation = Augmentation{};
  /// None: pictures are not mixed and targets are one-hot.
  std::optional<Mixing> mixing = Mixing{};
  /// Columns of the targets; 0: as many as the data set has classes.
  int num_classes = 0;
  /// After so many nothing is loaded ahead and next() throws; 0: no end.
  std::int64_t epochs = 0;
  /// Threads that decode and augment; 0: as many as the machine has cores.
  int workers = 0;
  /// Batches held ready or being filled, each of 12 * n * height * width bytes.
  int prefetch = 2;
  /// Memory for decoded pictures, so that later epochs decode only the rest. Off by default: one
  /// picture of 200 x 160 takes 96 kB to save half a millisecond.
  std::size_t cache_bytes = 0;
  /// Limits of a picture, and whether it is turned as its EXIF says.
  DecodeOptions decode;
};

/// Options of one pass over all pictures in order: no augmentation, no mixing, a shorter last
/// batch, then the end. seek(0) begins the next pass.
LoaderOptions evaluation_options(int batch_size);

/// Batches of a data set, decoded and augmented by threads beside the caller. What step t holds is
/// a function of the data set, the options' seed and t: neither the number of workers nor their
/// speed nor what was asked for before changes a bit of it.
class ImageLoader {
 public:
  /// Starts the workers, which begin with step 0. Throws invalid_argument if the options are out of
  /// range, a label is not 0 to num_classes - 1, or there are too few pictures for one batch.
  ImageLoader(ImageDataset dataset, const Preprocessing& preprocessing,
              const LoaderOptions& options);
  ImageLoader(const ImageLoader&) = delete;
  ImageLoader& operator=(const ImageLoader&) = delete;
  /// Waits for the pictures being decoded at this moment, one a worker, and for no more.
  ~ImageLoader();

  const ImageDataset& dataset() const;
  const Preprocessing& preprocessing() const;
  int num_classes() const;
  std::int64_t steps_per_epoch() const;

  /// The step that next() returns next.
  std::int64_t step() const;

  /// The next batch; waits if it is not ready. Throws runtime_error, naming the file, if a picture
  /// cannot be read, and passes over that step; invalid_argument past the last epoch. next() and
  /// seek() are for one thread at a time.
  Batch next();

  /// Makes next() return `step`, as if all before it had been asked for; costs nothing but the
  /// batches that were loaded ahead. Throws invalid_argument if the step is negative or past the
  /// end.
  void seek(std::int64_t step);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokensieve
