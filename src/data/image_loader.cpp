#include "tokensieve/data/image_loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>

#include "batch_plan.h"
#include "picture_cache.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

int classes_of(const ImageDataset& dataset, const LoaderOptions& options) {
  return options.num_classes > 0 ? options.num_classes : static_cast<int>(dataset.classes.size());
}

void check_options(const LoaderOptions& options) {
  check_argument(options.batch_size >= 1, "[image_loader] expected batch_size from 1, got ",
                 options.batch_size);
  check_argument(options.workers >= 0 && options.workers <= 1024,
                 "[image_loader] expected 0 to 1024 workers, got ", options.workers);
  check_argument(options.prefetch >= 1, "[image_loader] expected prefetch from 1, got ",
                 options.prefetch);
  check_argument(options.epochs >= 0 && options.epochs <= 1'000'000'000,
                 "[image_loader] expected epochs from 0 to 10^9, got ", options.epochs);
  if (options.augmentation) check_augmentation(*options.augmentation);
  if (options.mixing) check_mixing(*options.mixing);
}

void check_dataset(const ImageDataset& dataset, const LoaderOptions& options) {
  const std::size_t count = dataset.samples.size();
  const std::size_t least = options.drop_last ? static_cast<std::size_t>(options.batch_size) : 1;
  check_argument(count >= least && count < std::numeric_limits<std::uint32_t>::max(),
                 "[image_loader] expected at least ", least,
                 " pictures for a batch (and fewer than 2^32), got ", count,
                 "; make batch_size smaller");
  const int classes = classes_of(dataset, options);
  for (const Sample& sample : dataset.samples) {
    check_argument(sample.label >= 0 && sample.label < classes,
                   "[image_loader] expected labels 0 to ", classes - 1, ", got ", sample.label,
                   " for ", sample.path.string());
  }
}

/// A batch that workers are filling. What is written by whom: a slot's pixels by the worker that
/// took the slot, the rest under the loader's mutex or by the last worker.
struct Filling {
  Batch batch;
  std::size_t size = 0;
  std::once_flag prepared;
  std::size_t taken = 0;
  std::size_t done = 0;
  bool finished = false;
  std::size_t failed_slot = 0;
  std::exception_ptr error;
};

}  // namespace

class ImageLoader::Impl {
 public:
  Impl(ImageDataset dataset, const Preprocessing& preprocessing, const LoaderOptions& options);
  ~Impl();

  Batch next();
  void seek(std::int64_t step);
  std::int64_t step() const;

  const ImageDataset dataset;
  const Preprocessing preprocessing;
  const int num_classes;
  BatchPlan plan;

 private:
  struct Task {
    std::shared_ptr<Filling> filling;
    std::size_t slot = 0;
  };

  void work(const std::stop_token& stop);
  bool can_take() const;
  Task take();
  void fill(Filling& filling, std::size_t slot);
  void prepare(Batch& batch);
  void report(Filling& filling, std::size_t slot, std::exception_ptr error);
  void finish(Batch& batch) const;
  std::shared_ptr<const Image> picture(std::size_t index);

  const LoaderOptions options_;
  const std::int64_t end_;  // the first step that is not there
  PictureCache cache_;

  mutable std::mutex mutex_;
  std::condition_variable_any work_;  // there may be something to take
  std::condition_variable ready_;     // a batch has been finished
  std::int64_t step_ = 0;             // of the window's front
  std::deque<std::shared_ptr<Filling>> window_;
  std::exception_ptr broken_;          // a worker that could not begin a batch
  std::vector<std::jthread> workers_;  // last: they use all of the above
};

ImageLoader::Impl::Impl(ImageDataset data, const Preprocessing& transform,
                        const LoaderOptions& options)
    : dataset(std::move(data)),
      preprocessing(transform),
      num_classes(classes_of(dataset, options)),
      plan(static_cast<std::int64_t>(dataset.samples.size()), options),
      options_(options),
      end_(options.epochs > 0 ? options.epochs * plan.steps_per_epoch() : kNoEnd),
      cache_(dataset.samples.size(), options.cache_bytes) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned count = options.workers > 0 ? static_cast<unsigned>(options.workers) : cores;
  for (unsigned i = 0; i < count; ++i) {
    workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

ImageLoader::Impl::~Impl() {
  for (std::jthread& worker : workers_) worker.request_stop();  // all, before one is waited for
}

std::int64_t ImageLoader::Impl::step() const {
  const std::lock_guard lock(mutex_);
  return step_;
}

Batch ImageLoader::Impl::next() {
  std::shared_ptr<Filling> filling;
  {
    std::unique_lock lock(mutex_);
    check_argument(step_ < end_, "[image_loader] expected a step before ", end_,
                   ", the end of the last epoch; seek(0) begins again");
    ready_.wait(lock, [&] { return broken_ || (!window_.empty() && window_.front()->finished); });
    if (broken_) std::rethrow_exception(broken_);
    filling = std::move(window_.front());
    window_.pop_front();
    ++step_;
  }
  work_.notify_all();
  if (filling->error) std::rethrow_exception(std::move(filling->error));
  return std::move(filling->batch);
}

void ImageLoader::Impl::seek(std::int64_t step) {
  check_argument(step >= 0 && step <= end_, "[image_loader] expected a step from 0 to ", end_,
                 ", got ", step);
  {
    const std::lock_guard lock(mutex_);
    if (step == step_) return;
    // Workers that hold a slot of these finish it, unseen.
    window_.clear();
    step_ = step;
  }
  work_.notify_all();
}

void ImageLoader::Impl::work(const std::stop_token& stop) {
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      if (!work_.wait(lock, stop, [&] { return can_take(); })) return;
      try {
        task = take();
      } catch (const std::bad_alloc&) {
        broken_ = std::current_exception();
        ready_.notify_all();
        return;
      }
    }
    std::exception_ptr error;
    try {
      fill(*task.filling, task.slot);
    } catch (...) {
      error = std::current_exception();
    }
    report(*task.filling, task.slot, std::move(error));
    if (stop.stop_requested()) return;
  }
}

bool ImageLoader::Impl::can_take() const {
  // Only the last batch of the window can have slots left: a new one begins when it has none.
  if (!window_.empty() && window_.back()->taken < window_.back()->size) return true;
  const auto ahead = static_cast<std::int64_t>(window_.size());
  return ahead < options_.prefetch && step_ < end_ - ahead;
}

ImageLoader::Impl::Task ImageLoader::Impl::take() {
  if (window_.empty() || window_.back()->taken == window_.back()->size) {
    auto filling = std::make_shared<Filling>();
    filling->batch.step = step_ + static_cast<std::int64_t>(window_.size());
    filling->size = static_cast<std::size_t>(plan.size_of(filling->batch.step));
    window_.push_back(std::move(filling));
  }
  const std::shared_ptr<Filling>& last = window_.back();
  return {last, last->taken++};
}

void ImageLoader::Impl::fill(Filling& filling, std::size_t slot) {
  Batch& batch = filling.batch;
  // By the first worker and not under the mutex: a batch's memory takes milliseconds to clear.
  std::call_once(filling.prepared, [&] { prepare(batch); });
  const std::int64_t index = batch.indices[slot];
  const std::shared_ptr<const Image> image = picture(static_cast<std::size_t>(index));
  const std::size_t length = batch.pixels.size() / filling.size;
  const std::span<float> chw = std::span(batch.pixels).subspan(slot * length, length);
  try {
    if (options_.augmentation) {
      const std::uint64_t seed = plan.picture_seed(batch.step, index);
      augment(*image, *options_.augmentation, preprocessing, seed, chw);
      batch.crops[slot] = draw_crop(image->width, image->height, *options_.augmentation, seed);
    } else {
      preprocess(*image, preprocessing, chw);
    }
  } catch (const std::runtime_error& error) {
    fail_runtime("[image_loader] ", dataset.samples[static_cast<std::size_t>(index)].path.string(),
                 ": ", error.what());
  }
}

void ImageLoader::Impl::prepare(Batch& batch) {
  batch.epoch = plan.epoch_of(batch.step);
  batch.indices = plan.indices_of(batch.step);
  for (const std::int64_t index : batch.indices) {
    batch.labels.push_back(dataset.samples[static_cast<std::size_t>(index)].label);
  }
  if (options_.augmentation) batch.crops.resize(batch.indices.size());
  batch.pixels.resize(batch.indices.size() * 3 * static_cast<std::size_t>(preprocessing.height) *
                      static_cast<std::size_t>(preprocessing.width));
}

std::shared_ptr<const Image> ImageLoader::Impl::picture(std::size_t index) {
  if (auto cached = cache_.find(index)) return cached;
  auto read =
      std::make_shared<const Image>(read_image(dataset.samples[index].path, options_.decode));
  cache_.keep(index, read);
  return read;
}

void ImageLoader::Impl::report(Filling& filling, std::size_t slot, std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    // Of several errors the first picture's, whoever was faster.
    if (error && (!filling.error || slot < filling.failed_slot)) {
      filling.error = std::move(error);
      filling.failed_slot = slot;
    }
    if (++filling.done < filling.size) return;
  }
  if (!filling.error) {
    try {
      finish(filling.batch);
    } catch (...) {
      filling.error = std::current_exception();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    filling.finished = true;
  }
  ready_.notify_all();
}

void ImageLoader::Impl::finish(Batch& batch) const {
  double smoothing = 0.0;
  if (options_.mixing) {
    smoothing = options_.mixing->label_smoothing;
    batch.mixture = draw_mixture(*options_.mixing, preprocessing.width, preprocessing.height,
                                 plan.mixture_seed(batch.step));
    mix_pixels(batch.pixels, preprocessing.width, preprocessing.height, batch.mixture);
  }
  batch.targets = soft_targets(batch.labels, num_classes, smoothing, batch.mixture.lambda);
}

LoaderOptions evaluation_options(int batch_size) {
  LoaderOptions options;
  options.batch_size = batch_size;
  options.shuffle = false;
  options.drop_last = false;
  options.augmentation = std::nullopt;
  options.mixing = std::nullopt;
  options.epochs = 1;
  return options;
}

ImageLoader::ImageLoader(ImageDataset dataset, const Preprocessing& preprocessing,
                         const LoaderOptions& options) {
  check_options(options);
  check_preprocessing(preprocessing);
  check_dataset(dataset, options);
  impl_ = std::make_unique<Impl>(std::move(dataset), preprocessing, options);
}

ImageLoader::~ImageLoader() = default;

const ImageDataset& ImageLoader::dataset() const { return impl_->dataset; }
const Preprocessing& ImageLoader::preprocessing() const { return impl_->preprocessing; }
int ImageLoader::num_classes() const { return impl_->num_classes; }
std::int64_t ImageLoader::steps_per_epoch() const { return impl_->plan.steps_per_epoch(); }
std::int64_t ImageLoader::step() const { return impl_->step(); }
Batch ImageLoader::next() { return impl_->next(); }
void ImageLoader::seek(std::int64_t step) { impl_->seek(step); }

}  // namespace tokensieve
