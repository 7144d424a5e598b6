#pragma once

#include <filesystem>

#include "tokensieve/core/bert_config.h"

namespace tokensieve {

/// Sets `pooling` and `normalize` of an embedding as sentence-transformers' `modules.json` and
/// `1_Pooling/config.json` say; without them the class row is it. Throws runtime_error for a way of
/// pooling or a module that is not supported.
void read_sentence_pooling(const std::filesystem::path& folder, BertConfig& bert);

/// Writes these files into `folder`.
void write_sentence_pooling(const std::filesystem::path& folder, const BertConfig& bert);

}  // namespace tokensieve
