#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/io/tokenizer.h"

namespace tokensieve {

/// One text, or a pair, and the index of its class, -1 if it has none.
struct TextSample {
  std::string text;
  std::optional<std::string> text_pair = {};  ///< The second text of a pair.
  int label = -1;

  bool operator==(const TextSample&) const = default;
};

/// The tokens of a text or of a pair. Throws std::invalid_argument as Tokenizer::encode does.
Tokens encode(const Tokenizer& tokenizer, const TextSample& sample, int max_tokens);

/// Texts with labels; all are pairs, or none is.
struct TextDataset {
  bool pairs = false;
  std::vector<TextSample> samples;
};

/// The texts of a .tsv or .jsonl file, all in memory, one sample a line.
///
/// TSV: the first line is `label<TAB>text` or `label<TAB>text<TAB>text_pair`; no quotes, no
/// escapes, and the last text is the rest of its line. JSONL: objects with "text", for pairs
/// "text_pair", and optionally "label"; other keys are ignored. Labels are integers of 0 or more.
/// Blank lines are skipped. Throws runtime_error, naming the line, for what is not so, for a file
/// that is of another kind, larger than 1 GB or without samples, and for pairs beside single texts.
TextDataset read_text_dataset(const std::filesystem::path& path);

/// The same for a model of `num_classes` classes, each text with one. Also throws runtime_error
/// `[operation] ...` for a text without a label, or with one that is no class.
TextDataset open_labelled_texts(const std::filesystem::path& path, int num_classes,
                                std::string_view operation);
/// The same where labels need not be known: texts without one have -1.
TextDataset open_texts(const std::filesystem::path& path, int num_classes,
                       std::string_view operation);

/// Whether a file holds texts by its name and first line, and no list of pictures: .jsonl, or a
/// .tsv that begins with `label<TAB>text`. False for what cannot be read.
bool is_text_dataset(const std::filesystem::path& path);

}  // namespace tokensieve
