#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tokensieve {

/// One picture file and the index of its class, -1 if it has none.
struct Sample {
  std::filesystem::path path;
  int label = -1;

  bool operator==(const Sample&) const = default;
};

/// Picture files with labels. `classes` names the labels; a list has none.
struct ImageDataset {
  std::vector<std::string> classes;
  std::vector<Sample> samples;
};

/// Whether the name ends in .jpg, .jpeg, .png, .webp or .bmp, in upper or lower case.
bool has_image_extension(const std::filesystem::path& path);

/// A folder with one folder of pictures per class, as torchvision's ImageFolder reads it: classes
/// sorted by byte value and numbered from 0, their pictures in the order of find_images, other
/// files ignored, symbolic links followed. Pictures are not opened. Throws runtime_error if there
/// is no such folder, no class, a class without pictures, a loop of links or an unreadable folder.
ImageDataset open_image_folder(const std::filesystem::path& root);

/// All pictures of a folder at any depth, sorted by their folder and then by their name. Throws
/// runtime_error on an unreadable folder or a loop of links.
std::vector<std::filesystem::path> find_images(const std::filesystem::path& folder);

/// A text file with one picture a line: its path, relative to the list's folder, and optionally a
/// tab or space and a label of 0 or more. Blank lines are skipped; a path may hold spaces. Pictures
/// are not opened. Throws runtime_error if the list cannot be read, is longer than 256 MB, is
/// empty, or what follows a tab is not a label; messages name the line.
ImageDataset read_image_list(const std::filesystem::path& path);

/// What a command line names: a picture is itself, a folder all its pictures (find_images), a .txt
/// or .tsv file the pictures of that list. Throws runtime_error if there is no such file or it is
/// none of these.
std::vector<std::filesystem::path> expand_inputs(std::span<const std::filesystem::path> inputs);

}  // namespace tokensieve
