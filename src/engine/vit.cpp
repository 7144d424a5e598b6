#include "tokensieve/engine/vit.h"

#include "schedule_check.h"
#include "threads.h"
#include "tokensieve/core/error.h"
#include "vit_run.h"
#include "vit_weights.h"

namespace tokensieve {
namespace {

VitConfig validated(VitConfig config) {
  config.validate();
  return config;
}

void check_image(const VitConfig& config, const PixelsView& image, size_t index) {
  const int patch = config.patch_size;
  check_argument(image.data != nullptr, "[vit] image ", index, " has no pixels");
  check_argument(
      image.height > 0 && image.width > 0 && image.height % patch == 0 && image.width % patch == 0,
      "[vit] image ", index, " is ", image.height, " x ", image.width,
      "; height and width must be positive multiples of the patch size ", patch);
  const int64_t count = int64_t{image.height / patch} * (image.width / patch);
  check_argument(count <= Vit::kMaxPatches, "[vit] image ", index, " has ", count,
                 " patches, more than ", Vit::kMaxPatches, "; resize it");
}

/// What a schedule can rely on.
NetworkFacts facts_of(const VitConfig& config, int num_predictors) {
  return {.name = "[vit]",
          .num_heads = config.num_heads,
          .class_token = config.class_token,
          .predicts = num_predictors > 0 ? LearnedScore::keep_probability : LearnedScore::none,
          .num_predictors = num_predictors,
          .masks = &config.masks};
}

}  // namespace

struct VitImpl {
  VitImpl(VitConfig config_, const WeightSource& source, const WeightSource* predictors)
      : config(validated(std::move(config_))), weights(config, source, predictors) {}

  VitConfig config;
  VitWeights weights;
};

Vit::Vit(VitConfig config, const WeightSource& weights, const WeightSource* predictors) {
  const ThreadScope scope(0);  // packing the weights is parallel too: it must not hang after a fork
  impl_ = std::make_unique<const VitImpl>(std::move(config), weights, predictors);
}
Vit::~Vit() = default;
Vit::Vit(Vit&&) noexcept = default;
Vit& Vit::operator=(Vit&&) noexcept = default;

const VitConfig& Vit::config() const { return impl_->config; }

int Vit::num_predictors() const { return static_cast<int>(impl_->weights.predictors.size()); }

void Vit::check(const Schedule& schedule) const {
  check_schedule(facts_of(config(), num_predictors()), schedule);
}

std::vector<RunOutput> Vit::run(std::span<const PixelsView> images, const Schedule& schedule,
                                Workspace& workspace, int threads) const {
  check_threads("[vit]", threads);
  for (size_t i = 0; i < images.size(); ++i) check_image(config(), images[i], i);
  check(schedule);
  if (images.empty()) return {};
  const ThreadScope scope(threads);
  return VitRun(config(), impl_->weights, schedule, workspace.buffers())(images);
}

}  // namespace tokensieve
