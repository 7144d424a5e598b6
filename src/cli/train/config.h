#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tokensieve/core/attention_masks.h"
#include "tokensieve/data/image_loader.h"
#include "tokensieve/nn/method.h"
#include "tokensieve/nn/text_method.h"
#include "tokensieve/nn/trainer.h"

namespace tokensieve::cli {

/// What only runs on texts have.
struct TextConfig {
  int max_tokens = 128;  ///< Of a text, special tokens included; the rest is cut off.
  double dropout = 0.1;
  std::vector<std::string> labels;  ///< Names of the classes; empty: the start's, if as many.
  TextLoaderOptions loader;
  int64_t n_ref = 128;             ///< LTP's reference length; 0: the live rows.
  double final_threshold = 0.01;   ///< LTP's line of thresholds leads there.
  std::vector<double> thresholds;  ///< Instead of that line, one for each block after the first.
  nn::CascadeOptions cascade;
  nn::PabeeOptions pabee;
  nn::MagicPyramidOptions pyramid;  ///< Its `ltp` is LTP's, too.
  nn::TopOptions top;
  nn::AdaplerOptions adapler;
  /// AdapLeR's weights; those of AdaplerOptions::scaled() where not given.
  std::optional<double> saliencies, lengths;
  int top_first = 0;  ///< ToP's first block that drops; 0: depth / 6, from 1 on.
  int64_t top_bins = 50;
};

/// One training run, as its JSON file says it. docs/training.md lists the keys.
struct TrainConfig {
  std::string method = "dense";
  nn::TeacherOptions dense;  ///< Of the dense method; the others have theirs in their options.
  std::vector<int> sites = {3, 6, 9};  ///< Of DynamicViT.
  std::vector<int> asvit_sites = {4, 7, 10};
  std::vector<double> asvit_thresholds = {0.001, 0.002, 0.003};  ///< To start from, one a site.
  nn::DynamicVitOptions dynamicvit;
  nn::EvitOptions evit;
  nn::SaitOptions sait;
  nn::AsvitOptions asvit;
  nn::TokenLabelingOptions token_labeling;
  std::vector<int> token_labeling_sites;  ///< Of DynamicViT beside it; empty: all tokens stay.
  int64_t label_classes = 5;              ///< The best so many of each place have labels.
  /// A network to begin anew, without a start: sizes only, of a square image of `image_size`.
  std::optional<VitConfig> architecture;
  std::optional<Pooling> pooling;  ///< What the classifier reads; the start's where not given.
  TextConfig texts;
  /// The first key (or name of a method) that only pictures, or only texts, can be trained with; ""
  /// for none.
  std::string picture_key, text_key;
  std::string teacher_key;  ///< The key that gives a teacher's answers a weight; "" for none.
  std::optional<AttentionMasks> masks;  ///< MaiT's masked heads; the start's where not given.
  int image_size = 0;                   ///< 0: the start's.
  double crop_pct = 0;                  ///< Of the evaluation transform; 0: the start's.
  double held_out = 0.1;                ///< Share of the training samples that choices are made on.
  uint64_t split_seed = 0;              ///< Of which ones; `train.seed` where not given.
  double drop_path = 0;
  LoaderOptions loader;
  nn::TrainOptions train;
  std::string text;  ///< The file as it was read, with the image size of the command line.
};

/// Reads and checks a file; an `image_size` above 0 takes the place of the file's. Throws
/// std::runtime_error naming the file and the key: unknown (with the nearest known one), of the
/// wrong type, or out of range.
TrainConfig read_train_config(const std::filesystem::path& path, int image_size);

}  // namespace tokensieve::cli
