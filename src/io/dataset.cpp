#include "tokensieve/io/dataset.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "byte_order_mark.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/file.h"

namespace tokensieve {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxListBytes = std::uint64_t{256} << 20;

/// The folder's entries in order of their names. Throws runtime_error if it cannot be read.
std::vector<fs::directory_entry> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(*it);
  }
  check_runtime(!error, "[open_folder] expected a readable folder, got ", folder.string(), ": ",
                error.message());
  std::ranges::sort(entries, {},
                    [](const auto& entry) { return entry.path().filename().string(); });
  return entries;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;  // a link to nowhere is no folder
  return entry.is_directory(ignored);
}

using ImagesByFolder = std::map<std::string, std::vector<fs::path>>;

/// Adds the pictures below `folder`. `above` are the real folders on the way down: meeting one
/// again means that a link points upwards.
void add_images(const fs::path& folder, std::vector<fs::path>& above, ImagesByFolder& images) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  check_runtime(!error, "[open_folder] cannot open ", folder.string(), ": ", error.message());
  check_runtime(std::ranges::find(above, real) == above.end(),
                "[open_folder] expected folders without loops, got ", folder.string(),
                ", a link to a folder above it; remove the link");
  above.push_back(real);
  for (const auto& entry : sorted_entries(folder)) {
    if (is_folder(entry)) {
      add_images(entry.path(), above, images);
    } else if (has_image_extension(entry.path())) {
      images[folder.string()].push_back(entry.path());
    }
  }
  above.pop_back();
}

std::optional<int> parse_label(std::string_view text) {
  int label = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), label);
  if (error != std::errc{} || end != text.data() + text.size() || label < 0) return std::nullopt;
  return label;
}

/// "path<TAB>label", "path label" or "path". Only a tab promises a label: a path may hold spaces.
Sample parse_line(std::string_view line, const fs::path& list, std::size_t number) {
  const auto tab = line.rfind('\t');
  const auto split = tab != line.npos ? tab : line.rfind(' ');
  if (split == line.npos) return {fs::path(line), -1};
  const std::optional<int> label = parse_label(line.substr(split + 1));
  check_runtime(label || tab == line.npos, "[read_image_list] ", list.string(), ":", number,
                ": expected a label of 0 or more after the tab, got '",
                printable(line.substr(split + 1)), "'",
                number == 1 ? "; a file of texts begins with the line label<TAB>text" : "");
  if (!label) return {fs::path(line), -1};
  return {fs::path(line.substr(0, split)), *label};
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = line.find_first_not_of(kBlank);
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

bool has_image_extension(const fs::path& path) {
  const std::string extension = lower_extension(path);
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png" ||
         extension == ".webp" || extension == ".bmp";
}

std::vector<fs::path> find_images(const fs::path& folder) {
  ImagesByFolder by_folder;
  std::vector<fs::path> above;
  add_images(folder, above, by_folder);
  std::vector<fs::path> images;
  for (auto& [name, inner] : by_folder) std::ranges::move(inner, std::back_inserter(images));
  return images;
}

ImageDataset open_image_folder(const fs::path& root) {
  ImageDataset dataset;
  for (const auto& entry : sorted_entries(root)) {
    if (!is_folder(entry)) continue;
    const int label = static_cast<int>(dataset.classes.size());
    dataset.classes.push_back(entry.path().filename().string());
    auto images = find_images(entry.path());
    check_runtime(!images.empty(),
                  "[open_image_folder] expected .jpg, .jpeg, .png, .webp or .bmp "
                  "files in every class, got none in ",
                  entry.path().string());
    for (auto& image : images) dataset.samples.push_back({std::move(image), label});
  }
  check_runtime(!dataset.classes.empty(),
                "[open_image_folder] expected a folder per class, got none in ", root.string());
  return dataset;
}

ImageDataset read_image_list(const fs::path& path) {
  const std::string content = read_text_file(path, kMaxListBytes);
  const std::string_view text = without_byte_order_mark(content);
  ImageDataset dataset;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trimmed(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty()) continue;
    Sample sample = parse_line(line, path, number);
    sample.path = path.parent_path() / sample.path;
    dataset.samples.push_back(std::move(sample));
  }
  check_runtime(!dataset.samples.empty(),
                "[read_image_list] expected a picture a line, got none in ", path.string());
  return dataset;
}

std::vector<fs::path> expand_inputs(std::span<const fs::path> inputs) {
  std::vector<fs::path> images;
  for (const auto& input : inputs) {
    std::error_code error;
    const auto status = fs::status(input, error);
    check_runtime(fs::exists(status),
                  "[expand_inputs] expected a picture, a folder or a list, got ", input.string(),
                  ", which is not there");
    const std::string extension = lower_extension(input);
    if (fs::is_directory(status)) {
      std::ranges::move(find_images(input), std::back_inserter(images));
    } else if (extension == ".txt" || extension == ".tsv") {
      for (auto& sample : read_image_list(input).samples) images.push_back(std::move(sample.path));
    } else {
      check_runtime(
          has_image_extension(input),
          "[expand_inputs] expected a picture (.jpg, .jpeg, .png, .webp, .bmp), a folder or "
          "a list (.txt, .tsv), got ",
          input.string());
      images.push_back(input);
    }
  }
  return images;
}

}  // namespace tokensieve
