#include "tokensieve/io/text_dataset.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>
#include <utility>

#include "byte_order_mark.h"
#include "json_util.h"
#include "model/json_object.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/file.h"

namespace tokensieve {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
constexpr std::string_view kTsvHeader = "label\ttext";

/// A file's lines, one after the other, without their ends ("\n" or "\r\n").
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return true;
  }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

/// What is before the next tab, after which `line` then begins; all of it if there is none.
std::string_view take_field(std::string_view& line) {
  const std::string_view field = line.substr(0, line.find('\t'));
  line.remove_prefix(std::min(field.size() + 1, line.size()));
  return field;
}

int parse_label(std::string_view text, const std::string& where) {
  int label = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), label);
  check_runtime(error == std::errc{} && end == text.data() + text.size() && label >= 0,
                "[read_text_dataset] ", where, ": expected a label of 0 or more, got '",
                printable(text), "'");
  return label;
}

TextSample parse_tsv(std::string_view line, bool pairs, const std::string& where) {
  const auto tabs = std::ranges::count(line, '\t');
  check_runtime(tabs >= 1 + pairs, "[read_text_dataset] ", where, ": expected label<TAB>text",
                pairs ? "<TAB>text_pair" : "", ", got '", printable(line), "'");
  TextSample sample;
  sample.label = parse_label(take_field(line), where);
  if (pairs) {
    sample.text = take_field(line);
    sample.text_pair = line;
  } else {
    sample.text = line;
  }
  return sample;
}

TextDataset read_tsv(std::string_view text, const fs::path& path) {
  Lines lines(text);
  std::string_view line;
  lines.next(line);
  TextDataset dataset;
  dataset.pairs = line == "label\ttext\ttext_pair";
  check_runtime(dataset.pairs || line == kTsvHeader, "[read_text_dataset] ", path.string(),
                ":1: expected the line label<TAB>text or label<TAB>text<TAB>text_pair, got '",
                printable(line), "'");
  while (lines.next(line)) {
    if (line.empty()) continue;
    dataset.samples.push_back(
        parse_tsv(line, dataset.pairs, cat(path.string(), ":", lines.number())));
  }
  return dataset;
}

TextDataset read_jsonl(std::string_view text, const fs::path& path) {
  Lines lines(text);
  std::string_view line;
  TextDataset dataset;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const std::string where = cat(path.string(), ":", lines.number());
    const nlohmann::json json = parse_json(line, where);
    const JsonObject object(json, where);
    TextSample sample;
    sample.text = object.text("text");
    const bool pair = object.has("text_pair");
    if (pair) sample.text_pair = object.text("text_pair");
    if (object.has("label")) sample.label = static_cast<int>(object.integer("label", 0, INT32_MAX));
    if (dataset.samples.empty()) dataset.pairs = pair;
    check_runtime(pair == dataset.pairs, "[read_text_dataset] ", where, ": expected ",
                  dataset.pairs ? "pairs" : "single texts", " as before, got ",
                  pair ? "a pair" : "no text_pair");
    dataset.samples.push_back(std::move(sample));
  }
  return dataset;
}

}  // namespace

Tokens encode(const Tokenizer& tokenizer, const TextSample& sample, int max_tokens) {
  return sample.text_pair ? tokenizer.encode_pair(sample.text, *sample.text_pair, max_tokens)
                          : tokenizer.encode(sample.text, max_tokens);
}

TextDataset read_text_dataset(const fs::path& path) {
  const std::string extension = lower_extension(path);
  check_runtime(extension == ".tsv" || extension == ".jsonl",
                "[read_text_dataset] expected a .tsv or .jsonl file, got ", path.string(),
                extension == ".gz" ? "; unpack it with gunzip" : "");
  const std::string content = read_text_file(path, kMaxBytes);
  const std::string_view text = without_byte_order_mark(content);
  check_runtime(text.find('\0') == text.npos, "[read_text_dataset] expected text in ",
                path.string(), ", got a zero byte, as binary files have");
  TextDataset dataset = extension == ".tsv" ? read_tsv(text, path) : read_jsonl(text, path);
  check_runtime(!dataset.samples.empty(), "[read_text_dataset] expected texts in ", path.string(),
                ", got none");
  return dataset;
}

TextDataset open_labelled_texts(const fs::path& path, int num_classes, std::string_view operation) {
  TextDataset dataset = open_texts(path, num_classes, operation);
  for (size_t i = 0; i < dataset.samples.size(); ++i) {
    check_runtime(dataset.samples[i].label >= 0, "[", operation, "] text ", i + 1, " of ",
                  path.string(), " has no label; give each a \"label\"");
  }
  return dataset;
}

TextDataset open_texts(const fs::path& path, int num_classes, std::string_view operation) {
  TextDataset dataset = read_text_dataset(path);
  for (size_t i = 0; i < dataset.samples.size(); ++i) {
    const int label = dataset.samples[i].label;
    check_runtime(label < num_classes, "[", operation, "] text ", i + 1, " of ", path.string(),
                  " has label ", label, ", but the model has ", num_classes,
                  " classes, counted from 0");
  }
  return dataset;
}

bool is_text_dataset(const fs::path& path) {
  const std::string extension = lower_extension(path);
  if (extension != ".tsv") return extension == ".jsonl";
  std::string start(kByteOrderMark.size() + kTsvHeader.size(), '\0');
  std::ifstream(path, std::ios::binary)
      .read(start.data(), static_cast<std::streamsize>(start.size()));
  return without_byte_order_mark(start).starts_with(kTsvHeader);
}

}  // namespace tokensieve
