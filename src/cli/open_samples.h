#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "samples.h"

namespace tokensieve::cli {

/// How a data set is read.
struct SampleOptions {
  DecodeOptions decode;  ///< Of pictures.
  int max_length = 0;    ///< Tokens of a text that are read; 0: as many as the model can.
};

/// The pictures or texts of `data`, whichever the model reads, each with a class of the model: a
/// folder with a folder of pictures a class, or a list of pictures; a .tsv or .jsonl file of texts.
/// Throws std::runtime_error `[operation] ...` for data without labels or with others, or without a
/// tokenizer, and std::invalid_argument for a length that the model cannot read.
std::unique_ptr<const Samples> open_labelled(const std::filesystem::path& data,
                                             const LoadedModel& model, const SampleOptions& options,
                                             std::string_view operation);

/// The same without labels, where not every sample has one; pictures may then lie in any folder.
/// For class folders that the model does not know, a note on standard error says so.
std::unique_ptr<const Samples> open_samples(const std::filesystem::path& data,
                                            const LoadedModel& model, const SampleOptions& options,
                                            std::string_view operation);

}  // namespace tokensieve::cli
