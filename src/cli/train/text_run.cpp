#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "prepared_run.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/selector.h"
#include "tokensieve/data/split.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/text_dataset.h"
#include "tokensieve/io/tokenizer.h"
#include "tokensieve/nn/weights.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

bool has_exits(const TrainConfig& config) {
  return config.method == "pabee" || config.method == "magic_pyramid";
}

/// The start's folder as a classifier of `classes` classes.
ModelFolder target_of(const ModelFolder& start, const TrainConfig& config, int classes) {
  ModelFolder target = start;
  BertConfig& bert = *target.bert;
  if (bert.head != TextHead::classification) {
    bert.head = TextHead::classification;
    bert.pooler = bert.name == "distilbert" ? PoolerActivation::relu : PoolerActivation::tanh;
    bert.normalize = false;
  }
  if (classes != start.bert->num_classes) target.labels.clear();
  if (!config.texts.labels.empty()) target.labels = config.texts.labels;
  check_runtime(target.labels.empty() || std::ssize(target.labels) == classes,
                "[config] expected 'labels' of ", classes, " classes, as the texts have, got ",
                target.labels.size());
  bert.num_classes = classes;
  bert.exits = has_exits(config);
  bert.contributions = config.method == "adapler";
  target.sieve = nullptr;
  target.calibrations.clear();  // of other weights
  return target;
}

void load_start(nn::BertImpl& network, const ModelFolder& start) {
  using Head = nn::LoadOptions::Head;
  const bool same = start.bert->head == TextHead::classification &&
                    start.bert->num_classes == network.config().num_classes;
  if (!same) std::cerr << "the classifier starts anew: the start has none of these classes\n";
  nn::load_weights(network, *start.weights, *start.bert, same ? Head::load : Head::fresh);
  const BertConfig& config = network.config();
  if (config.exits && start.bert->exits && same)
    nn::load_parameters(network, "classifiers.", *start.sieve);
  if (config.contributions && start.bert->contributions)
    nn::load_parameters(network, "contribution_predictor.", *start.sieve);
}

/// The teacher reads the student's tokens and answers in its classes.
nn::Bert load_teacher(const fs::path& folder, const Tokenizer& tokenizer) {
  if (folder.empty()) return nullptr;
  const ModelFolder teacher = open_model_folder(folder);
  const BertConfig& config = teacher.text_config("[train]");
  const auto theirs = open_tokenizer(teacher.tokenizer_folder);
  bool same = theirs->vocab_size() == tokenizer.vocab_size();
  for (int id = 0; same && id < tokenizer.vocab_size(); ++id)
    same = theirs->token(id) == tokenizer.token(id);
  check_runtime(same, "[train] the teacher ", folder.string(),
                " has another vocabulary than the start");
  nn::Bert network(config);
  nn::load_weights(*network, *teacher.weights, config);
  return network;
}

/// `lengths` are the tokens of the held-out texts.
std::unique_ptr<nn::Method> make_method(const TrainConfig& config, const ModelFolder& start,
                                        const BertConfig& bert, nn::Bert teacher,
                                        std::vector<int64_t> lengths) {
  const TextConfig& texts = config.texts;
  if (config.method == "ltp" || config.method == "magic_pyramid") {
    const auto thresholds = texts.thresholds.empty()
                                ? rising_thresholds(texts.final_threshold, bert.depth() - 1)
                                : texts.thresholds;
    nn::LtpBert network(bert, thresholds, texts.n_ref, texts.dropout);
    load_start(*network, start);
    return config.method == "ltp" ? nn::ltp_method(network, teacher, texts.pyramid.ltp)
                                  : nn::magic_pyramid_method(network, teacher, texts.pyramid);
  }
  if (config.method == "top") {
    const int first = texts.top_first > 0 ? texts.top_first : std::max(1, bert.depth() / 6);
    nn::TopBert network(bert, first, texts.top_bins, texts.dropout);
    load_start(*network, start);
    nn::TopOptions options = texts.top;
    options.lengths = std::move(lengths);
    return nn::top_method(network, teacher, std::move(options));
  }
  if (config.method == "adapler") {
    const auto scaled = nn::AdaplerOptions::scaled(bert.depth(), texts.max_tokens);
    nn::AdaplerOptions options = texts.adapler;
    options.saliency_weight = texts.saliencies.value_or(scaled.saliency_weight);
    options.length_weight = texts.lengths.value_or(scaled.length_weight);
    nn::AdaplerBert network(bert, texts.dropout);
    load_start(*network, start);
    return nn::adapler_method(network, teacher, options);
  }
  nn::Bert network(bert, texts.dropout);
  load_start(*network, start);
  if (config.method == "cascade") return nn::cascade_method(network, teacher, texts.cascade);
  if (config.method == "pabee") return nn::pabee_method(network, teacher, texts.pabee);
  return nn::dense_method(network, teacher, config.dense.logits_weight);
}

/// One more than the largest label. Throws std::runtime_error where a text has none, or one that so
/// few texts cannot need: a classifier of that many classes would not fit into memory.
int classes_of(const TextDataset& data, const fs::path& file) {
  int classes = 0;
  for (const TextSample& sample : data.samples) {
    check_runtime(sample.label >= 0, "[train] expected a label for every text of ", file.string(),
                  ", got one without");
    check_runtime(sample.label < std::ssize(data.samples), "[train] expected labels below ",
                  data.samples.size(), ", the number of texts of ", file.string(), ", got ",
                  sample.label);
    classes = std::max(classes, sample.label + 1);
  }
  return classes;
}

std::vector<TokenSample> tokens_of(const TextDataset& data, const Tokenizer& tokenizer,
                                   int max_tokens) {
  std::vector<TokenSample> samples;
  for (const TextSample& text : data.samples) {
    Tokens tokens = encode(tokenizer, text, max_tokens);
    samples.push_back({std::move(tokens.ids), std::move(tokens.types), text.label});
  }
  return samples;
}

void add(Checksum& checksum, const TextDataset& texts) {
  for (const TextSample& sample : texts.samples) {
    checksum.add(sample.text);
    checksum.add(sample.text_pair.value_or(""));
    checksum.add(&sample.label, sizeof sample.label);
  }
}

bool fits_a_line(const std::string& text) { return text.find_first_of("\t\n\r") == text.npos; }

/// As a file that --data and `tokensieve evaluate` read: held_out.tsv, or held_out.jsonl where a
/// text holds what ends a field there.
void write_held_out(const TextDataset& texts, const fs::path& folder) {
  const bool plain = std::ranges::all_of(texts.samples, [](const TextSample& sample) {
    return fits_a_line(sample.text) && fits_a_line(sample.text_pair.value_or(""));
  });
  if (!plain) {
    std::string lines;
    for (const TextSample& sample : texts.samples) {
      nlohmann::ordered_json line{{"label", sample.label}, {"text", sample.text}};
      if (sample.text_pair) line["text_pair"] = *sample.text_pair;
      lines += line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    }
    return write_text_file(folder / "held_out.jsonl", lines);
  }
  std::string lines = texts.pairs ? "label\ttext\ttext_pair\n" : "label\ttext\n";
  for (const TextSample& sample : texts.samples) {
    lines += cat(sample.label, "\t", sample.text, sample.text_pair ? "\t" + *sample.text_pair : "",
                 "\n");
  }
  write_text_file(folder / "held_out.tsv", lines);
}

}  // namespace

PreparedRun prepare_texts(const TrainConfig& config, const TrainPaths& paths,
                          const ModelFolder& start) {
  check_runtime(config.picture_key.empty(), "[config] '", config.picture_key,
                "' is for pictures, and ", paths.start.string(), " is a text model");
  check_argument(!paths.skip_broken, "[train] --skip-broken is for pictures, and ",
                 paths.start.string(), " is a text model");
  check_runtime(config.texts.max_tokens <= start.bert->max_positions,
                "[config] expected max_tokens up to the start's ", start.bert->max_positions,
                ", got ", config.texts.max_tokens);
  const auto tokenizer = open_tokenizer(start.tokenizer_folder);
  check_runtime(tokenizer->vocab_size() <= start.bert->vocab_size, "[train] ", paths.start.string(),
                " has a tokenizer of ", tokenizer->vocab_size(), " words and a table of ",
                start.bert->vocab_size);
  const TextDataset data = read_text_dataset(paths.data);
  const HeldOutTexts split = paths.held_out.empty()
                                 ? split_held_out(data, config.held_out, config.split_seed)
                                 : HeldOutTexts{data, read_text_dataset(paths.held_out)};
  check_runtime(split.held_out.pairs == data.pairs, "[train] expected pairs of texts in both ",
                paths.data.string(), " and ", paths.held_out.string(), ", or in none");
  const int classes = classes_of(data, paths.data);
  for (const TextSample& sample : split.held_out.samples) {
    check_runtime(sample.label >= 0 && sample.label < classes, "[train] expected labels of 0 to ",
                  classes - 1, ", as ", paths.data.string(), " has, in ", paths.held_out.string(),
                  ", got ", sample.label);
  }
  PreparedRun run;
  run.target = target_of(start, config, classes);
  torch::manual_seed(config.train.seed);  // for what the start does not have: head, exits
  const nn::Bert teacher = load_teacher(paths.teacher, *tokenizer);
  if (teacher) run.checksum.add(*teacher);
  std::vector<TokenSample> held_out =
      tokens_of(split.held_out, *tokenizer, config.texts.max_tokens);
  std::vector<int64_t> lengths;
  for (const TokenSample& text : held_out) lengths.push_back(std::ssize(text.ids));
  run.method = make_method(config, start, *run.target.bert, teacher, std::move(lengths));
  run.checksum.add(run.method->network());
  add(run.checksum, split.train);
  add(run.checksum, split.held_out);

  const auto loader = [&](std::vector<TokenSample> texts, const TextLoaderOptions& options) {
    return nn::batches_of(std::make_shared<TextLoader>(std::move(texts), classes, options));
  };
  run.train =
      loader(tokens_of(split.train, *tokenizer, config.texts.max_tokens), config.texts.loader);
  run.held_out =
      loader(std::move(held_out), text_evaluation_options(config.texts.loader.batch_size));
  run.train_size = std::ssize(split.train.samples);
  run.held_out_size = std::ssize(split.held_out.samples);
  run.samples = "texts";
  run.write_held_out = [texts = split.held_out](const fs::path& folder) {
    write_held_out(texts, folder);
  };
  return run;
}

}  // namespace tokensieve::cli
