#include <algorithm>
#include <iostream>

#include "prepared_run.h"
#include "tokensieve/core/error.h"
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
  bert.num_classes = classes;
  bert.exits = has_exits(config);
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
  if (network.config().exits && start.sieve && same)
    nn::load_parameters(network, "classifiers.", *start.sieve);
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

std::unique_ptr<nn::Method> make_method(const TrainConfig& config, const ModelFolder& start,
                                        const BertConfig& bert, nn::Bert teacher) {
  const TextConfig& texts = config.texts;
  if (config.method == "ltp" || config.method == "magic_pyramid") {
    const auto thresholds = texts.thresholds.empty()
                                ? nn::ltp_thresholds(bert.depth(), texts.final_threshold)
                                : texts.thresholds;
    nn::LtpBert network(bert, thresholds, texts.n_ref, texts.dropout);
    load_start(*network, start);
    return config.method == "ltp" ? nn::ltp_method(network, teacher, texts.pyramid.ltp)
                                  : nn::magic_pyramid_method(network, teacher, texts.pyramid);
  }
  nn::Bert network(bert, texts.dropout);
  load_start(*network, start);
  if (config.method == "cascade") return nn::cascade_method(network, teacher, texts.cascade);
  if (config.method == "pabee") return nn::pabee_method(network, teacher, texts.pabee);
  return nn::dense_method(network, teacher, config.dense.logits_weight);
}

std::vector<TokenSample> tokens_of(const TextDataset& data, const Tokenizer& tokenizer,
                                   int max_tokens) {
  std::vector<TokenSample> samples;
  for (const TextSample& text : data.samples) {
    Tokens tokens = tokenizer.encode(text.text, max_tokens);
    samples.push_back({std::move(tokens.ids), std::move(tokens.types), text.label});
  }
  return samples;
}

void add(Checksum& checksum, const TextDataset& texts) {
  for (const TextSample& sample : texts.samples) {
    checksum.add(sample.text);
    checksum.add(&sample.label, sizeof sample.label);
  }
}

/// As a file that --data and `tokensieve evaluate` read.
void write_held_out(const TextDataset& texts, const fs::path& file) {
  std::string lines = "label\ttext\n";
  for (const TextSample& sample : texts.samples) {
    std::string text = sample.text;
    std::ranges::replace_if(
        text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    lines += cat(sample.label, "\t", text, "\n");
  }
  write_text_file(file, lines);
}

}  // namespace

PreparedRun prepare_texts(const TrainConfig& config, const TrainPaths& paths,
                          const ModelFolder& start) {
  check_runtime(config.picture_key.empty(), "[config] '", config.picture_key,
                "' is for pictures, and ", paths.start.string(), " is a text model");
  check_runtime(config.texts.max_tokens <= start.bert->max_positions,
                "[config] expected max_tokens up to the start's ", start.bert->max_positions,
                ", got ", config.texts.max_tokens);
  const auto tokenizer = open_tokenizer(start.tokenizer_folder);
  check_runtime(tokenizer->vocab_size() <= start.bert->vocab_size, "[train] ", paths.start.string(),
                " has a tokenizer of ", tokenizer->vocab_size(), " words and a table of ",
                start.bert->vocab_size);
  const TextDataset data = read_text_dataset(paths.data);
  const HeldOutTexts split = paths.held_out.empty()
                                 ? split_held_out(data, config.held_out, config.train.seed)
                                 : HeldOutTexts{data, read_text_dataset(paths.held_out)};
  int classes = 0;
  for (const TextSample& sample : data.samples) classes = std::max(classes, sample.label + 1);
  PreparedRun run;
  run.target = target_of(start, config, classes);
  torch::manual_seed(config.train.seed);  // for what the start does not have: head, exits
  const nn::Bert teacher = load_teacher(paths.teacher, *tokenizer);
  if (teacher) run.checksum.add(*teacher);
  run.method = make_method(config, start, *run.target.bert, teacher);
  run.checksum.add(run.method->network());
  add(run.checksum, split.train);
  add(run.checksum, split.held_out);

  const auto loader = [&](const TextDataset& texts, const TextLoaderOptions& options) {
    return nn::batches_of(std::make_shared<TextLoader>(
        tokens_of(texts, *tokenizer, config.texts.max_tokens), classes, options));
  };
  run.train = loader(split.train, config.texts.loader);
  run.held_out = loader(split.held_out, text_evaluation_options(config.texts.loader.batch_size));
  run.train_size = std::ssize(split.train.samples);
  run.held_out_size = std::ssize(split.held_out.samples);
  run.samples = "texts";
  run.write_held_out = [texts = split.held_out](const fs::path& folder) {
    write_held_out(texts, folder / "held_out.tsv");
  };
  return run;
}

}  // namespace tokensieve::cli
