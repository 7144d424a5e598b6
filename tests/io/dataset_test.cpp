#include "tokensieve/io/dataset.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "temp_folder.h"
#include "tokensieve/io/file.h"

using namespace tokensieve;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

void put(const fs::path& path) {
  fs::create_directories(path.parent_path());
  write_text_file(path, "");
}

}  // namespace

TEST_CASE("An image folder numbers its classes in sorted order", "[io][dataset]") {
  const TempFolder folder;
  for (const char* name : {"zebra/2.JPG", "zebra/10.webp", "cat/b/1.png", "cat/a.bmp", "Dog/x.jpeg",
                           "cat/notes.txt", "readme.jpg"}) {
    put(folder / name);
  }
  const ImageDataset dataset = open_image_folder(folder.path());
  CHECK(dataset.classes == std::vector<std::string>{"Dog", "cat", "zebra"});
  CHECK(dataset.samples == std::vector<Sample>{{folder / "Dog/x.jpeg", 0},
                                               {folder / "cat/a.bmp", 1},
                                               {folder / "cat/b/1.png", 1},
                                               {folder / "zebra/10.webp", 2},
                                               {folder / "zebra/2.JPG", 2}});
}

TEST_CASE("Pictures are sorted by folder, then by name", "[io][dataset]") {
  const TempFolder folder;
  for (const char* name : {"a/x.png", "a-b/x.png", "a/b/y.png", "z.png"}) put(folder / name);
  CHECK(find_images(folder.path()) == std::vector<fs::path>{folder / "z.png", folder / "a/x.png",
                                                            folder / "a-b/x.png",
                                                            folder / "a/b/y.png"});
}

TEST_CASE("An image folder without classes or pictures says so", "[io][dataset]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(open_image_folder(folder / "missing"), Contains("missing"));
  put(folder / "loose.png");
  CHECK_THROWS_WITH(open_image_folder(folder.path()), Contains("folder per class"));
  CHECK_THROWS_AS(open_image_folder(folder / "loose.png"), std::runtime_error);
  put(folder / "cat/notes.txt");
  CHECK_THROWS_WITH(open_image_folder(folder.path()), Contains("got none in") && Contains("cat"));
}

TEST_CASE("Links to folders are followed, loops are errors", "[io][dataset]") {
  const TempFolder folder;
  put(folder / "real/1.png");
  put(folder / "root/cat/2.png");
  fs::create_directory_symlink(folder / "real", folder / "root/dog");
  fs::create_symlink(folder / "nowhere", folder / "root/cat/broken");
  CHECK(open_image_folder(folder / "root").samples.size() == 2);
  fs::create_directory_symlink(folder / "root", folder / "root/cat/up");
  CHECK_THROWS_WITH(find_images(folder / "root"), Contains("without loops") && Contains("up"));
  CHECK_THROWS_AS(open_image_folder(folder / "root"), std::runtime_error);
}

TEST_CASE("A list gives paths beside it, with labels or without", "[io][dataset]") {
  const TempFolder folder;
  write_text_file(folder / "list.txt",
                  "cat/1.png\t0\r\n\n  my cat 7.jpg 12\nmy cat 7.jpg\n/abs/2.png 3\na b.png\t4\n"
                  "plain.bmp");
  const ImageDataset dataset = read_image_list(folder / "list.txt");
  CHECK(dataset.classes.empty());
  CHECK(dataset.samples == std::vector<Sample>{{folder / "cat/1.png", 0},
                                               {folder / "my cat 7.jpg", 12},
                                               {folder / "my cat 7.jpg", -1},
                                               {"/abs/2.png", 3},
                                               {folder / "a b.png", 4},
                                               {folder / "plain.bmp", -1}});
}

TEST_CASE("A list that is wrong is refused with its line", "[io][dataset]") {
  const TempFolder folder;
  const fs::path list = folder / "list.txt";
  for (const char* line : {"b.png\tdog", "b.png\t-1", "b.png\t1.5", "b.png\t99999999999"}) {
    write_text_file(list, std::string("a.png\t0\n") + line + "\n");
    CHECK_THROWS_WITH(read_image_list(list), Contains("list.txt:2") && Contains("label"));
  }
  write_text_file(list, " \n\n");
  CHECK_THROWS_WITH(read_image_list(list), Contains("got none"));
  CHECK_THROWS_AS(read_image_list(folder / "missing.txt"), std::runtime_error);
}

TEST_CASE("Inputs are pictures, folders and lists, in the order given", "[io][dataset]") {
  const TempFolder folder;
  put(folder / "d/2.png");
  put(folder / "d/1.png");
  put(folder / "a.JPEG");
  write_text_file(folder / "list.tsv", "z.png\t3\n");
  const std::vector<fs::path> inputs = {folder / "list.tsv", folder / "a.JPEG", folder / "d"};
  CHECK(expand_inputs(inputs) == std::vector<fs::path>{folder / "z.png", folder / "a.JPEG",
                                                       folder / "d/1.png", folder / "d/2.png"});
  CHECK(expand_inputs({}).empty());
  const std::vector<fs::path> missing = {folder / "no.png"};
  CHECK_THROWS_WITH(expand_inputs(missing), Contains("not there"));
  write_text_file(folder / "a.gif", "");
  const std::vector<fs::path> other = {folder / "a.gif"};
  CHECK_THROWS_WITH(expand_inputs(other), Contains("expected a picture") && Contains("a.gif"));
}
