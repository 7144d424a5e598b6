#include "texts_option.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "inputs.h"
#include "option_values.h"
#include "samples.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"

namespace tokensieve::cli {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;

std::vector<TextSample> lines_of(const std::string& text) {
  std::vector<TextSample> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back({std::move(line)});
    at = end + 1;
  }
  return lines;
}

std::vector<TextSample> texts_of(const std::filesystem::path& file, std::string_view operation) {
  check_exists(operation, file);
  const std::string extension = lower_extension(file);
  if (extension != ".tsv" && extension != ".jsonl") {
    const std::string text = read_text_file(file, kMaxBytes);
    check_runtime(text.find('\0') == text.npos, "[", operation, "] expected text in ",
                  file.string(), ", got a zero byte, as binary files have");
    auto lines = lines_of(text);
    check_runtime(!lines.empty(), "[", operation, "] no texts in ", file.string());
    return lines;
  }
  return read_text_dataset(file).samples;
}

}  // namespace

void TextsOption::add_to(CLI::App& command) {
  command
      .add_option("--text", texts,
                  "Text for a text model, in place of pictures; may come several times")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command.add_option("--pair", pairs, "The second text of a --text, for models of pairs")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command
      .add_option("--file", file,
                  "The same of a file: .tsv or .jsonl as evaluate takes it, or lines")
      ->type_name("FILE");
  command.add_option("--limit", limit, "Use this many texts of the file, spread over it [all]")
      ->type_name("N")
      ->check(count_up_to(1'000'000'000));
}

bool TextsOption::given(std::string_view operation, bool pictures) const {
  const bool any = !texts.empty() || !file.empty();
  check_argument(any != pictures, "[", operation,
                 "] expected pictures or texts, --text or --file, got ",
                 any ? "both; a text with spaces stands in quotes" : "neither");
  check_argument(limit == 0 || !file.empty(), "[", operation, "] --limit is for --file");
  check_argument(pairs.empty() || pairs.size() == texts.size(), "[", operation,
                 "] expected a --pair for every --text or for none, got ", pairs.size(), " for ",
                 texts.size());
  return any;
}

std::vector<TextSample> TextsOption::find(std::string_view operation) const {
  std::vector<TextSample> all;
  for (size_t i = 0; i < texts.size(); ++i) {
    all.push_back({texts[i]});
    if (!pairs.empty()) all.back().text_pair = pairs[i];
  }
  if (file.empty()) return all;
  const auto of_file = texts_of(file, operation);
  check_runtime(limit > 0 || of_file.size() <= kMost, "[", operation, "] expected at most ", kMost,
                " texts, got ", of_file.size(), " in ", file, "; pass --limit N");
  for (const size_t index : spread(of_file.size(), limit)) all.push_back(of_file[index]);
  return all;
}

}  // namespace tokensieve::cli
