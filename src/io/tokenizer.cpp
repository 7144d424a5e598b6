#include "tokensieve/io/tokenizer.h"

#include "text/tokenizer_json.h"
#include "text/vocabulary_files.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

std::unique_ptr<const Tokenizer> open_tokenizer(const std::filesystem::path& folder) {
  const auto has = [&](const char* name) { return std::filesystem::exists(folder / name); };
  const TokenizerConfig config = read_tokenizer_config(folder);
  if (has("tokenizer.json")) return read_tokenizer_json(folder / "tokenizer.json", config.pad);
  if (has("vocab.txt")) return read_wordpiece_files(folder, config);
  if (has("vocab.json") && has("merges.txt")) return read_byte_pair_files(folder, config);
  fail_runtime(
      "[open_tokenizer] expected tokenizer.json, vocab.txt, or vocab.json and merges.txt in ",
      folder.string(), ", got none of them");
}

}  // namespace tokensieve
