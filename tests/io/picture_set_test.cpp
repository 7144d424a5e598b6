#include "tokensieve/io/picture_set.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "temp_folder.h"
#include "tokensieve/io/file.h"

using namespace tokensieve;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kLabels = {"tench", "golf ball", "French horn"};
const ModelClasses kClasses{kLabels, 3};

void put(const fs::path& path) {
  fs::create_directories(path.parent_path());
  write_text_file(path, "");
}

std::vector<int> labels_of(const PictureSet& set) {
  std::vector<int> labels;
  for (const Sample& sample : set.samples) labels.push_back(sample.label);
  return labels;
}

}  // namespace

TEST_CASE("Class folders are matched with labels by name", "[io][picture_set]") {
  const TempFolder folder;
  for (const char* name : {"Golf_Ball/a.png", "french-horn/b.png"}) put(folder / name);
  const PictureSet set = open_labelled_pictures(folder.path(), kClasses, "test");
  CHECK(labels_of(set) == std::vector<int>{1, 2});
  CHECK(set.note.empty());
  CHECK(open_pictures(folder.path(), kClasses, "test").samples == set.samples);
}

TEST_CASE("Folders are matched by position only where that is sure", "[io][picture_set]") {
  const TempFolder folder;
  for (const char* name : {"n01/a.png", "n02/b.png", "n03/c.png"}) put(folder / name);
  CHECK_THROWS_WITH(
      open_labelled_pictures(folder.path(), kClasses, "test"),
      Contains("such as 'tench', got 3 folders, one of them 'n01'") && Contains("rename them"));
  CHECK(open_labelled_pictures(folder.path(), {{}, 3}, "test").note.empty());
  CHECK_THROWS_WITH(open_labelled_pictures(folder.path(), {{}, 2}, "test"),
                    Contains("expected 2 class folders") && Contains("got 3"));
  const std::vector<std::string> numbered = {"LABEL_0", "LABEL_1", "LABEL_2"};
  const PictureSet set = open_labelled_pictures(folder.path(), {numbered, 3}, "test");
  CHECK(labels_of(set) == std::vector<int>{0, 1, 2});
  CHECK_THAT(set.note, Contains("'n01' is taken for 'LABEL_0'"));
}

TEST_CASE("ImageNet's thousand classes stand in the order of their WordNet ids",
          "[io][picture_set]") {
  const TempFolder folder;
  std::vector<std::string> labels;
  for (int i = 0; i < 1000; ++i) {
    put(folder / ("n0" + std::to_string(1'000'000 + i)) / "a.png");
    labels.push_back("thing " + std::to_string(i));
  }
  CHECK(labels_of(open_labelled_pictures(folder.path(), {labels, 1000}, "test"))[999] == 999);
}

TEST_CASE("What is no list of pictures is refused", "[io][picture_set]") {
  const TempFolder folder;
  put(folder / "a.csv");
  CHECK_THROWS_WITH(open_labelled_pictures(folder / "a.csv", kClasses, "test"),
                    Contains("[test] expected a folder of pictures or a list, .txt or .tsv, got"));
  CHECK_THROWS_WITH(open_pictures(folder / "a.csv", kClasses, "test"), Contains("a.csv"));
}

TEST_CASE("A class folder without a place is named", "[io][picture_set]") {
  const TempFolder folder;
  for (const char* name : {"tench/a.png", "golf_bal/b.png"}) put(folder / name);
  CHECK_THROWS_WITH(open_labelled_pictures(folder.path(), kClasses, "test"),
                    Contains("[test] expected class folders named like the model's 3 labels") &&
                        Contains("did you mean 'golf ball'"));
  const PictureSet set = open_pictures(folder.path(), kClasses, "test");
  CHECK(labels_of(set) == std::vector<int>{-1, -1});
  CHECK_THAT(set.note, Contains("no accuracy") && Contains("golf_bal"));
  CHECK_THROWS_WITH(open_labelled_pictures(folder.path(), {{}, 0}, "test"),
                    Contains("no classifier"));
}

TEST_CASE("The numbers of a list are the model's classes", "[io][picture_set]") {
  const TempFolder folder;
  const fs::path list = folder / "list.txt";
  for (const char* name : {"a.png", "b.png"}) put(folder / name);
  write_text_file(list, "a.png\t2\nb.png\t0\n");
  CHECK(labels_of(open_labelled_pictures(list, kClasses, "test")) == std::vector<int>{2, 0});
  CHECK(labels_of(open_pictures(list, kClasses, "test")) == std::vector<int>{2, 0});
  write_text_file(list, "a.png\t3\nb.png\t0\n");
  CHECK_THROWS_WITH(open_labelled_pictures(list, kClasses, "test"),
                    Contains("a.png has label 3, but the model has 3 classes"));
  write_text_file(list, "a.png\t2\nb.png\n");
  CHECK_THROWS_WITH(open_labelled_pictures(list, kClasses, "test"), Contains("b.png has no label"));
  CHECK(labels_of(open_pictures(list, kClasses, "test")) == std::vector<int>{-1, -1});
}

TEST_CASE("Pictures beside folders have no classes", "[io][picture_set]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(open_pictures(folder.path(), kClasses, "test"),
                    Contains("[test] no pictures in"));
  for (const char* name : {"tench/a.png", "b.png"}) put(folder / name);
  CHECK(labels_of(open_pictures(folder.path(), kClasses, "test")) == std::vector<int>{-1, -1});
}
