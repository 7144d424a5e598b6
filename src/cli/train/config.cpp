#include "config.h"

#include <algorithm>

#include "json_reader.h"
#include "tokensieve/io/file.h"

namespace tokensieve::cli {
namespace {

constexpr uint64_t kMaxConfigBytes = 1 << 20;

constexpr int kMaxDepth = 1000;
constexpr int kMaxWidth = 1 << 16;

/// Keeps the first key that is noted.
void note(std::string& first, const std::string& key) {
  if (first.empty()) first = key;
}

/// Weights of a teacher's answers count with a teacher only, so one that is written down asks for
/// one.
void read_teacher_weight(JsonReader& reader, const std::string& key, double& weight,
                         TrainConfig& config) {
  reader.read(key, weight);
  if (reader.find(key) && weight > 0) note(config.teacher_key, key);
}

/// LTP's keys. Its numbers are in units of a score, which go with 1 / n_ref.
void read_ltp(JsonReader& reader, TrainConfig& config) {
  TextConfig& text = config.texts;
  nn::LtpOptions& options = text.pyramid.ltp;
  reader.read("n_ref", text.n_ref);
  check_runtime(text.n_ref >= 0, "[config] expected n_ref of 0 or more, got ", text.n_ref);
  const double scale = static_cast<double>(nn::kLtpReference) /
                       static_cast<double>(text.n_ref > 0 ? text.n_ref : text.max_tokens);
  text.final_threshold *= scale;
  options.temperature *= scale;
  check_runtime(!reader.find("final_threshold") || !reader.find("thresholds"),
                "[config] expected final_threshold or thresholds, got both");
  reader.read("final_threshold", text.final_threshold);
  reader.read("thresholds", text.thresholds);
  reader.read("soft_epochs", options.soft_epochs);
  reader.read("temperature", options.temperature);
  reader.read("masks", options.mask_weight);
  read_teacher_weight(reader, "teacher_logits", options.teacher_logits, config);
}

void read_text_method(JsonReader& reader, TrainConfig& config) {
  TextConfig& text = config.texts;
  if (config.method == "cascade") {
    reader.read("keep", text.cascade.keep);
    reader.read("first", text.cascade.first);
    read_teacher_weight(reader, "teacher_logits", text.cascade.teacher_logits, config);
  } else if (config.method == "pabee") {
    reader.read("patience", text.pabee.patience);
    read_teacher_weight(reader, "teacher_logits", text.pabee.teacher_logits, config);
  } else if (config.method == "adapler") {
    nn::AdaplerOptions& options = text.adapler;
    if (reader.find("saliencies")) reader.read("saliencies", text.saliencies.emplace());
    if (reader.find("lengths")) reader.read("lengths", text.lengths.emplace());
    reader.read("sharpness", options.sharpness);
    reader.read("growth", options.growth);
    reader.read("choose_after", options.choose_after);
  } else if (config.method == "top") {
    check_runtime(text.loader.label_smoothing == 0,
                  "[config] expected no text.label_smoothing with top, ",
                  "which learns the teacher's answers alone, got ", text.loader.label_smoothing);
    nn::TopOptions& options = text.top;
    reader.read("first", text.top_first);
    reader.read("bins", text.top_bins);
    reader.read("target", options.target);
    reader.read("target_epochs", options.target_epochs);
    reader.read("ranking", options.ranking_weight);
    reader.read("ranked", options.ranked);
    reader.read("temperature", options.temperature);
    reader.read("slack", options.slack);
    check_runtime(text.top_first >= 0, "[config] expected 'first' to be a block, got ",
                  text.top_first);
  } else {
    read_ltp(reader, config);
    if (config.method == "ltp") return;
    reader.read("hard_epochs", text.pyramid.hard_epochs);
    reader.read("joint_epochs", text.pyramid.joint_epochs);
    reader.read("entropy", text.pyramid.entropy);
  }
}

void read_picture_method(JsonReader& reader, TrainConfig& config) {
  const auto read_teacher = [&](nn::TeacherOptions& teacher) {
    read_teacher_weight(reader, "teacher_logits", teacher.logits_weight, config);
    if (reader.find("teacher_tokens")) note(config.picture_key, "teacher_tokens");
    read_teacher_weight(reader, "teacher_tokens", teacher.tokens_weight, config);
  };
  if (config.method == "dense") {
    read_teacher(config.dense);
  } else if (config.method == "dynamicvit") {
    nn::DynamicVitOptions& options = config.dynamicvit;
    read_teacher(options.teacher);
    reader.read("sites", config.sites);
    reader.read("keep", options.keep);
    reader.read("keep_range", options.keep_range);
    reader.read("ratio", options.ratio_weight);
    reader.read("eps", options.eps);
  } else if (config.method == "evit") {
    nn::EvitOptions& options = config.evit;
    read_teacher(options.teacher);
    reader.read("sites", options.sites);
    reader.read("keep", options.keep);
    reader.read("fuse", options.fuse);
    reader.read("full_epochs", options.full_epochs);
    reader.read("shrink_epochs", options.shrink_epochs);
  } else if (config.method == "sait") {
    nn::SaitOptions& options = config.sait;
    read_teacher(options.teacher);
    reader.read("site", options.site);
    reader.read("keep", options.keep);
    reader.read("keep_range", options.keep_range);
    reader.read("class_score", options.class_score);
    reader.read("attention", options.attention_weight);
  } else if (config.method == "token_labeling") {
    nn::TokenLabelingOptions& options = config.token_labeling;
    reader.read("tokens", options.tokens_weight);
    reader.read("mix_token", options.mix_alpha);
    reader.read("ground_truth", options.ground_truth);
    reader.read("label_classes", config.label_classes);
    reader.read("sites", config.token_labeling_sites);
    reader.read("keep", options.keep);
    reader.read("ratio", options.ratio_weight);
    reader.read("eps", options.eps);
    // Here, since labels take a while to make.
    check_runtime(
        options.keep > 0 && options.keep <= 1 && options.tokens_weight >= 0 &&
            options.mix_alpha >= 0 && options.ratio_weight >= 0 && options.eps >= 0 &&
            config.label_classes >= 1,
        "[config] expected keep in (0, 1], at least 1 class in label_classes, and tokens, "
        "mix_token, ratio and eps of 0 or more, got ",
        options.keep, ", ", config.label_classes, ", ", options.tokens_weight, ", ",
        options.mix_alpha, ", ", options.ratio_weight, " and ", options.eps);
  } else {
    nn::AsvitOptions& options = config.asvit;
    read_teacher(options.teacher);
    reader.read("sites", config.asvit_sites);
    reader.read("thresholds", config.asvit_thresholds);
    reader.read("temperature", options.temperature);
    reader.read("rate", options.rate);
    reader.read("macs", options.macs_weight);
    reader.read("eps", options.eps);
  }
}

void read_method(const nlohmann::json& json, TrainConfig& config) {
  JsonReader reader(json, "method");
  reader.read("name", config.method);
  const std::vector<std::string> of_pictures = {"dynamicvit", "evit", "sait", "asvit",
                                                "token_labeling"};
  const std::vector<std::string> of_texts = {"ltp",           "cascade", "pabee",
                                             "magic_pyramid", "top",     "adapler"};
  std::vector<std::string> methods = {"dense"};
  for (const auto& list : {of_pictures, of_texts})
    methods.insert(methods.end(), list.begin(), list.end());
  const auto is_in = [&](const std::vector<std::string>& list) {
    return std::ranges::count(list, config.method) > 0;
  };
  check_runtime(is_in(methods),
                "[config] expected a method's name, dense, dynamicvit, evit, sait, asvit, "
                "token_labeling, ltp, cascade, pabee, magic_pyramid, top or adapler, got '",
                config.method, "'", did_you_mean(config.method, methods));
  if (is_in(of_pictures)) note(config.picture_key, config.method);
  if (is_in(of_texts)) note(config.text_key, config.method);
  if (is_in(of_texts)) {
    read_text_method(reader, config);
  } else {
    read_picture_method(reader, config);
  }
  reader.finish();
}

void read_text(const nlohmann::json& json, TextConfig& text) {
  JsonReader reader(json, "text");
  reader.read("max_tokens", text.max_tokens);
  reader.read("dropout", text.dropout);
  reader.read("labels", text.labels);
  reader.read("bucket", text.loader.bucket);
  reader.read("label_smoothing", text.loader.label_smoothing);
  reader.finish();
  check_runtime(text.max_tokens >= 3, "[config] expected max_tokens of 3 or more, got ",
                text.max_tokens);
}

void read_rand_augment(const nlohmann::json& json, Augmentation& augmentation) {
  if (json.is_boolean()) {
    augmentation.rand_augment = json.get<bool>() ? std::optional(RandAugment{}) : std::nullopt;
    return;
  }
  RandAugment options;
  JsonReader reader(json, "rand_augment");
  reader.read("operations", options.operations);
  reader.read("magnitude", options.magnitude);
  reader.read("magnitude_std", options.magnitude_std);
  reader.read("probability", options.probability);
  reader.finish();
  augmentation.rand_augment = options;
}

void read_augmentation(const nlohmann::json& json, Augmentation& augmentation) {
  JsonReader reader(json, "augmentation");
  const auto range = [&](const std::string& key, std::array<double, 2>& value) {
    std::vector<double> list(value.begin(), value.end());
    reader.read(key, list);
    check_runtime(list.size() == 2, "[config] expected two numbers in '", key, "', got ",
                  list.size());
    std::copy_n(list.begin(), 2, value.begin());
  };
  range("crop_area", augmentation.crop_area);
  range("crop_aspect", augmentation.crop_aspect);
  reader.read("flip", augmentation.flip);
  reader.read("color_jitter", augmentation.color_jitter);
  reader.read("erase", augmentation.erase);
  if (const auto* rand_augment = reader.find("rand_augment"))
    read_rand_augment(*rand_augment, augmentation);
  std::vector<std::string> names;
  reader.read("interpolations", names);
  if (!names.empty()) augmentation.interpolations.clear();
  for (const std::string& name : names)
    augmentation.interpolations.push_back(parse_interpolation(name));
  reader.finish();
}

AttentionMasks read_masks(const nlohmann::json& json) {
  AttentionMasks masks;
  JsonReader reader(json, "attention_masks");
  reader.read("rows", masks.rows);
  reader.read("columns", masks.columns);
  reader.read("sees_prefix", masks.sees_prefix);
  std::string kind = "multiplicative";
  reader.read("kind", kind);
  const std::vector<std::string> kinds = {"multiplicative", "hard"};
  check_runtime(std::ranges::count(kinds, kind) > 0,
                "[config] expected a kind of masks, multiplicative or hard, got '", kind, "'",
                did_you_mean(kind, kinds));
  if (kind == "hard") masks.kind = AttentionMasks::Kind::hard;
  if (const auto* heads = reader.find("heads")) {
    check_runtime(heads->is_array(), "[config] expected 'heads' to be a list for each block");
    for (const nlohmann::json& block : *heads) {
      JsonReader list(nlohmann::json::object({{"heads", block}}), "attention_masks");
      list.read("heads", masks.heads.emplace_back());
    }
  }
  reader.finish();
  return masks;
}

VitConfig read_architecture(const nlohmann::json& json) {
  VitConfig config;
  int depth = config.depth(), num_heads = config.num_heads[0], mlp_dim = 0;
  JsonReader reader(json, "architecture");
  reader.read("patch_size", config.patch_size);
  reader.read("embed_dim", config.embed_dim);
  reader.read("depth", depth);
  reader.read("num_heads", num_heads);
  reader.read("mlp_dim", mlp_dim);
  reader.finish();
  check_runtime(depth >= 1 && depth <= kMaxDepth && num_heads >= 1 &&
                    config.embed_dim >= num_heads && config.embed_dim <= kMaxWidth &&
                    config.embed_dim % num_heads == 0 && mlp_dim >= 0 && mlp_dim <= kMaxWidth,
                "[config] expected an architecture of 1 to ", kMaxDepth,
                " blocks and a width that its heads divide, of at most ", kMaxWidth, ", got depth ",
                depth, ", embed_dim ", config.embed_dim, ", num_heads ", num_heads, " and mlp_dim ",
                mlp_dim);
  config.head_dim = config.embed_dim / num_heads;
  config.num_heads.assign(static_cast<size_t>(depth), num_heads);
  config.mlp_dim.assign(static_cast<size_t>(depth), mlp_dim > 0 ? mlp_dim : 4 * config.embed_dim);
  return config;
}

Pooling parse_pooling(const std::string& name) {
  const std::vector<std::string> names = {"class_token", "mean"};
  check_runtime(std::ranges::count(names, name) > 0,
                "[config] expected pooling class_token or mean, got '", name, "'",
                did_you_mean(name, names));
  return name == "mean" ? Pooling::mean : Pooling::class_token;
}

/// Whether the last epoch is chosen, not the best one.
bool parse_choice(const std::string& name) {
  const std::vector<std::string> names = {"best", "last"};
  check_runtime(std::ranges::count(names, name) > 0, "[config] expected choose best or last, got '",
                name, "'", did_you_mean(name, names));
  return name == "last";
}

void read_mixing(const nlohmann::json& json, Mixing& mixing) {
  JsonReader reader(json, "mixing");
  reader.read("mixup", mixing.mixup_alpha);
  reader.read("cutmix", mixing.cutmix_alpha);
  reader.read("probability", mixing.probability);
  reader.read("switch_probability", mixing.switch_probability);
  reader.read("label_smoothing", mixing.label_smoothing);
  reader.finish();
}

void read_optimizer(const nlohmann::json& json, TrainConfig& config) {
  JsonReader reader(json, "optimizer");
  nn::TrainOptions& train = config.train;
  reader.read("learning_rate", train.rates.base);
  reader.read("head_learning_rate", train.rates.head);
  reader.read("predictor_learning_rate", train.rates.predictors);
  reader.read("final_learning_rate", train.final_rate);
  reader.read("layer_decay", train.rates.layer_decay);
  reader.read("weight_decay", train.rates.weight_decay);
  reader.read("frozen_epochs", train.rates.frozen_epochs);
  reader.read("freeze_embeddings", train.rates.freeze_embeddings);
  reader.read("warmup_epochs", train.warmup_epochs);
  reader.read("clip_norm", train.clip_norm);
  reader.read("ema", train.ema);
  reader.finish();
}

}  // namespace

TrainConfig read_train_config(const std::filesystem::path& path, int image_size) {
  TrainConfig config;
  config.text = read_text_file(path, kMaxConfigBytes);
  nlohmann::json json = parse_json(config.text, path.string());
  if (image_size > 0 && json.is_object()) {
    json["image_size"] = image_size;
    config.text = json.dump(2);
  }
  config.loader.augmentation = Augmentation{};
  config.loader.mixing = Mixing{};
  JsonReader reader(json, path.filename().string());
  // First: LTP's defaults depend on it.
  if (const auto* text = reader.find("text")) {
    note(config.text_key, "text");
    read_text(*text, config.texts);
  }
  if (const auto* method = reader.find("method")) read_method(*method, config);
  reader.read("epochs", config.train.epochs);
  // The optimizer's default is for long runs.
  config.train.warmup_epochs =
      std::min(config.train.warmup_epochs, static_cast<double>(config.train.epochs));
  if (const auto* optimizer = reader.find("optimizer")) read_optimizer(*optimizer, config);
  if (const auto* part = reader.find("augmentation"))
    read_augmentation(*part, *config.loader.augmentation);
  if (const auto* masks = reader.find("attention_masks")) config.masks = read_masks(*masks);
  // Token labels have a place, so their method mixes tokens, not pixels.
  const bool mixes_tokens = config.method == "token_labeling";
  if (mixes_tokens) config.loader.mixing->mixup_alpha = config.loader.mixing->cutmix_alpha = 0;
  if (const auto* mixing = reader.find("mixing")) read_mixing(*mixing, *config.loader.mixing);
  check_runtime(
      !mixes_tokens ||
          (config.loader.mixing->mixup_alpha == 0 && config.loader.mixing->cutmix_alpha == 0),
      "[config] expected mixup and cutmix of 0 with token_labeling, whose mix_token takes "
      "their place, got ",
      config.loader.mixing->mixup_alpha, " and ", config.loader.mixing->cutmix_alpha);
  config.token_labeling.smoothing = config.loader.mixing->label_smoothing;
  if (const auto* sizes = reader.find("architecture"))
    config.architecture = read_architecture(*sizes);
  std::string pooling;
  reader.read("pooling", pooling);
  if (!pooling.empty()) config.pooling = parse_pooling(pooling);
  reader.read("image_size", config.image_size);
  reader.read("crop_pct", config.crop_pct);
  reader.read("drop_path", config.drop_path);
  for (const char* key : {"augmentation", "attention_masks", "mixing", "architecture", "pooling",
                          "image_size", "crop_pct", "drop_path"}) {
    if (reader.find(key)) note(config.picture_key, key);
  }
  reader.read("held_out", config.held_out);
  std::string choice = "best";
  reader.read("choose", choice);
  config.train.last_epoch = parse_choice(choice);
  reader.read("batch", config.loader.batch_size);
  reader.read("accumulate", config.train.accumulate);
  reader.read("seed", config.train.seed);
  config.split_seed = config.train.seed;
  reader.read("split_seed", config.split_seed);
  reader.read("bf16", config.train.bf16);
  reader.read("log_every", config.train.log_every);
  reader.read("save_every", config.train.save_every);
  reader.finish();
  check_runtime(config.image_size >= 0 && config.crop_pct >= 0,
                "[config] expected image_size and crop_pct of 0 or more in ",
                path.filename().string(), ", got ", config.image_size, " and ", config.crop_pct);
  if (config.architecture) {
    check_runtime(config.image_size > 0, "[config] expected image_size beside architecture in ",
                  path.filename().string());
    config.architecture->image_height = config.architecture->image_width = config.image_size;
  }
  config.loader.seed = config.texts.loader.seed = config.train.seed;
  config.texts.loader.batch_size = config.loader.batch_size;
  return config;
}

}  // namespace tokensieve::cli
