#include "tokensieve/io/file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "temp_folder.h"

using namespace tokensieve;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

std::size_t files_in(const TempFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("A text comes back as it was written, zero bytes included", "[io][file]") {
  const TempFolder folder;
  const std::string text("one\r\n\0two\xFF", 10);
  write_text_file(folder / "text", text);
  CHECK(read_text_file(folder / "text", 10) == text);
  write_text_file(folder / "text", "");
  CHECK(read_text_file(folder / "text", 0).empty());
}

TEST_CASE("Reading a text names the file and what is wrong with it", "[io][file]") {
  const TempFolder folder;
  write_text_file(folder / "text", "12345");
  CHECK_THROWS_AS(read_text_file(folder / "text", 4), std::runtime_error);
  CHECK_THROWS_WITH(read_text_file(folder / "text", 4),
                    Contains("expected at most 4 bytes") && Contains("text") && Contains("got 5"));
  CHECK_THROWS_AS(read_text_file(folder / "none", 4), std::runtime_error);
  CHECK_THROWS_WITH(read_text_file(folder / "none", 4),
                    Contains("none") && Contains("No such file or directory"));
  CHECK_THROWS_WITH(read_text_file(folder.path(), 4), Contains("is a folder"));
  CHECK_THROWS_WITH(read_text_file("/dev/zero", 4), Contains("not a regular file"));
}

TEST_CASE("A named pipe without a writer is refused instead of waited for", "[io][file]") {
  const TempFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(RandomAccessFile(folder / "pipe"), Contains("not a regular file"));
}

TEST_CASE("Bytes are read at any offset and never past the end", "[io][file]") {
  const TempFolder folder;
  write_text_file(folder / "digits", "0123456789");
  RandomAccessFile file(folder / "digits");
  CHECK(file.size() == 10);
  CHECK(file.path() == folder / "digits");

  std::array<std::byte, 3> three{};
  file.read_at(7, three);
  CHECK(three[0] == std::byte{'7'});
  CHECK(three[2] == std::byte{'9'});
  CHECK_NOTHROW(file.read_at(10, {}));
  CHECK_THROWS_AS(file.read_at(8, three), std::runtime_error);
  CHECK_THROWS_WITH(file.read_at(8, three), Contains("3 bytes at byte 8") && Contains("digits"));
  CHECK_THROWS_AS(file.read_at(~std::uint64_t{0}, three), std::runtime_error);

  SECTION("not even if it was cut after opening") {
    fs::resize_file(folder / "digits", 8);
    CHECK_THROWS_AS(file.read_at(7, three), std::runtime_error);
    CHECK_THROWS_WITH(file.read_at(7, three), Contains("cut short"));
  }
  SECTION("and a moved file reads on") {
    RandomAccessFile moved = std::move(file);
    CHECK_NOTHROW(moved.read_at(0, three));
    write_text_file(folder / "other", "abcdef");
    moved = RandomAccessFile(folder / "other");
    moved.read_at(0, three);
    CHECK(three[0] == std::byte{'a'});
  }
}

TEST_CASE("A file is replaced whole or not at all", "[io][file]") {
  const TempFolder folder;
  write_text_file(folder / "target", "old");

  SECTION("nothing changes before commit, and the temporary file goes with the writer") {
    {
      AtomicFile file(folder / "target");
      file.write("new");
      CHECK(read_text_file(folder / "target", 9) == "old");
      CHECK(files_in(folder) == 2);
    }
    CHECK(read_text_file(folder / "target", 9) == "old");
  }
  SECTION("commit puts all writes in place") {
    AtomicFile file(folder / "target");
    file.write("new");
    file.write("er");
    file.commit();
    CHECK(read_text_file(folder / "target", 9) == "newer");
    CHECK_THROWS_AS(file.commit(), std::invalid_argument);
    CHECK_THROWS_WITH(file.commit(), Contains("expected one commit") && Contains("target"));
    CHECK_THROWS_AS(file.write("late"), std::invalid_argument);
    CHECK_THROWS_WITH(file.write("late"), Contains("target is committed"));
  }
  SECTION("a failed commit leaves no temporary file") {
    fs::create_directory(folder / "kept");
    {
      AtomicFile file(folder / "late");
      fs::create_directory(folder / "late");  // appears between opening and commit
      CHECK_THROWS_WITH(file.commit(), Contains("cannot replace") && Contains("late"));
    }
    CHECK(files_in(folder) == 3);
    fs::remove(folder / "late");
    fs::remove(folder / "kept");
  }
  SECTION("two writers of one path do not share a temporary file") {
    AtomicFile first(folder / "target");
    AtomicFile second(folder / "target");
    first.write("first");
    second.write("second");
    second.commit();
    first.commit();
    CHECK(read_text_file(folder / "target", 9) == "first");
  }
  SECTION("a symbolic link is replaced, what it points to stays") {
    fs::create_symlink("target", folder / "link");
    write_text_file(folder / "link", "new");
    CHECK(read_text_file(folder / "target", 9) == "old");
    CHECK(read_text_file(folder / "link", 9) == "new");
    fs::remove(folder / "link");
  }
  CHECK(files_in(folder) == 1);
}

TEST_CASE("Others may read a written file as far as the umask lets them", "[io][file]") {
  const TempFolder folder;
  const mode_t mask = ::umask(022);
  write_text_file(folder / "file", "x");
  ::umask(mask);
  CHECK((fs::status(folder / "file").permissions() & fs::perms::mask) == fs::perms(0644));
}

TEST_CASE("A path that cannot become a file is refused before anything is written", "[io][file]") {
  const TempFolder folder;
  CHECK_THROWS_AS(AtomicFile(""), std::invalid_argument);
  CHECK_THROWS_WITH(AtomicFile(folder.path() / ""), Contains("expected the path of a file"));
  CHECK_THROWS_AS(AtomicFile(folder.path()), std::runtime_error);
  CHECK_THROWS_WITH(AtomicFile("/dev/null"), Contains("a folder or a device"));
  fs::create_symlink("/dev/null", folder / "device");  // as /dev/stdout is one
  CHECK_THROWS_WITH(AtomicFile(folder / "device"), Contains("a folder or a device"));
  fs::remove(folder / "device");
  CHECK_THROWS_WITH(AtomicFile(folder / "none/file"), Contains("No such file or directory"));
  CHECK(files_in(folder) == 0);
}

TEST_CASE("A write that does not fit is an error with its reason and leaves nothing",
          "[io][file]") {
  // A limit on the size of files stands in for a full disk.
  const TempFolder folder;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit tight{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  std::string message;
  try {
    write_text_file(folder / "large", std::string(5000, 'x'));
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK_THAT(message, Contains("cannot write") && Contains("large") && Contains("File too large"));
  CHECK(files_in(folder) == 0);
}
