#include "tokensieve/nn/batches.h"

#include <type_traits>

namespace tokensieve::nn {
namespace {

/// `data` as a tensor that keeps its `owner` alive.
template <typename Value>
torch::Tensor view_of(const std::shared_ptr<const void>& owner, const std::vector<Value>& data,
                      at::IntArrayRef shape) {
  return torch::from_blob(
      const_cast<Value*>(data.data()), shape, [owner](void*) {},
      c10::CppTypeToScalarType<Value>::value);
}

/// A loader of core's kind as Batches; `input` makes the network's input of a batch.
template <typename Loader, typename Input>
class LoaderBatches final : public Batches {
 public:
  LoaderBatches(std::shared_ptr<Loader> loader, Input input)
      : loader_(std::move(loader)), input_(std::move(input)) {}

  int64_t steps_per_epoch() const override { return loader_->steps_per_epoch(); }
  int64_t step() const override { return loader_->step(); }
  void seek(int64_t step) override { loader_->seek(step); }

  TensorBatch next() override {
    const auto batch = std::make_shared<const decltype(loader_->next())>(loader_->next());
    TensorBatch tensors{input_(batch),
                        view_of(batch, batch->targets, {batch->size(), loader_->num_classes()}),
                        view_of(batch, batch->labels, {batch->size()}), nullptr};
    if constexpr (std::is_same_v<Loader, ImageLoader>) tensors.pictures = batch;
    return tensors;
  }

 private:
  std::shared_ptr<Loader> loader_;
  Input input_;
};

template <typename Loader, typename Input>
std::unique_ptr<Batches> make(std::shared_ptr<Loader> loader, Input input) {
  return std::make_unique<LoaderBatches<Loader, Input>>(std::move(loader), std::move(input));
}

}  // namespace

std::unique_ptr<Batches> batches_of(std::shared_ptr<ImageLoader> loader) {
  const Preprocessing size = loader->preprocessing();
  return make(std::move(loader), [size](const std::shared_ptr<const Batch>& batch) {
    return view_of(batch, batch->pixels, {batch->size(), 3, size.height, size.width});
  });
}

std::unique_ptr<Batches> batches_of(std::shared_ptr<TextLoader> loader) {
  return make(std::move(loader), [](const std::shared_ptr<const TextBatch>& batch) {
    return view_of(batch, batch->tokens, {batch->size(), 2, batch->length});
  });
}

}  // namespace tokensieve::nn
