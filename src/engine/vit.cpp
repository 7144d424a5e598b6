#include "tokensieve/engine/vit.h"

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

/// Learned scores need a predictor for each site of the recipe, whether it keeps everything or not.
void check_predictors(const Schedule& schedule, const ScheduledSite& site, int count) {
  if (!site.reducer->needs_predictor()) return;
  check_argument(count > 0, "[vit] the site ", to_string(site.site),
                 " goes by a learned score and this model has no predictors; train or convert a "
                 "model that has, or use a recipe that needs no training, such as evit(keep=0.7)");
  check_argument(schedule.num_sites() == count && site.index >= 0 && site.index < count,
                 "[vit] the model has predictors for ", count, " sites and the recipe has ",
                 schedule.num_sites(),
                 " sites; name the sites that it was trained with, such as "
                 "dynamicvit(keep=0.7, sites=3/6/9)");
}

void check_schedule(const VitConfig& config, const Schedule& schedule, int num_predictors) {
  constexpr auto kClass = AttentionRequest::class_row | AttentionRequest::class_row_per_head;
  for (const ScheduledSite& site : schedule.sites()) {
    check_argument(site.site.layer < config.depth(), "[vit] the site ", to_string(site.site),
                   " is behind the last block, ", config.depth() - 1);
    check_predictors(schedule, site, num_predictors);
    const AttentionRequest request = site.reducer->attention_request();
    check_argument(config.class_token || !asks_for(request, kClass), "[vit] the site ",
                   to_string(site.site),
                   " needs class attention and this network has no class token; use"
                   " score=received_attention");
    const bool before = site.site.position == SitePosition::before_block;
    const bool inside = site.site.position == SitePosition::inside_attention;
    const int layer = site.site.layer - (before ? 1 : 0);
    check_argument((request == AttentionRequest::none && !inside) ||
                       (layer >= 0 && config.num_heads[static_cast<size_t>(layer)] > 0),
                   "[vit] the site ", to_string(site.site),
                   " reads attention, and there is none before it; use a later site");
    check_argument(!inside || config.masks.of_block(layer).empty() ||
                       !asks_for(schedule.attention_request(layer), AttentionRequest::column_mean),
                   "[vit] the site ", to_string(site.site),
                   " asks for the attention that masked heads give, ahead of it; score by the class"
                   " token, or choose an unmasked block");
    check_argument(
        !inside || !asks_for(schedule.attention_request(layer), AttentionRequest::output_norm),
        "[vit] the norms of attention outputs that a site asks for cannot be had where ",
        to_string(site.site), " chooses which outputs are computed");
  }
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
  check_schedule(config(), schedule, num_predictors());
}

std::vector<VitOutput> Vit::run(std::span<const PixelsView> images, const Schedule& schedule,
                                Workspace& workspace, int threads) const {
  check_argument(threads >= 0 && threads <= kMaxThreads, "[vit] threads must be 0 (one a core) to ",
                 kMaxThreads, ", got ", threads);
  for (size_t i = 0; i < images.size(); ++i) check_image(config(), images[i], i);
  check(schedule);
  if (images.empty()) return {};
  const ThreadScope scope(threads);
  return VitRun(config(), impl_->weights, schedule, workspace.buffers())(images);
}

}  // namespace tokensieve
