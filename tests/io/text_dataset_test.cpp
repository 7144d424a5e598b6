#include "tokensieve/io/text_dataset.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "temp_folder.h"
#include "tokensieve/io/file.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

TextDataset read(const TempFolder& folder, const char* name, std::string_view text) {
  write_text_file(folder / name, text);
  return read_text_dataset(folder / name);
}

}  // namespace

TEST_CASE("A TSV gives labels and texts as they stand", "[io][text_dataset]") {
  const TempFolder folder;
  const TextDataset dataset =
      read(folder, "a.tsv", "label\ttext\r\n1\tIt \"works\"\tstill\r\n\n0\t\n12\tno end");
  CHECK_FALSE(dataset.pairs);
  CHECK(dataset.samples ==
        std::vector<TextSample>{{"It \"works\"\tstill", {}, 1}, {"", {}, 0}, {"no end", {}, 12}});
}

TEST_CASE("A TSV of pairs has three columns", "[io][text_dataset]") {
  const TempFolder folder;
  const TextDataset dataset =
      read(folder, "a.tsv", "label\ttext\ttext_pair\n0\tone\ttwo\tand more\n1\t\t\n");
  CHECK(dataset.pairs);
  CHECK(dataset.samples == std::vector<TextSample>{{"one", "two\tand more", 0}, {"", "", 1}});
}

TEST_CASE("JSON lines give texts, pairs and labels, and may have other keys",
          "[io][text_dataset]") {
  const TempFolder folder;
  const TextDataset dataset = read(folder, "a.jsonl",
                                   R"({"text": "a\tb\u00e9", "label": 3, "id": "x"})"
                                   "\n\n"
                                   R"({"text": ""})"
                                   "\r\n");
  CHECK_FALSE(dataset.pairs);
  CHECK(dataset.samples == std::vector<TextSample>{{"a\tb\u00e9", {}, 3}, {"", {}, -1}});
  const TextDataset pairs =
      read(folder, "b.jsonl", R"({"text": "a", "text_pair": "b", "label": 0})");
  CHECK(pairs.pairs);
  CHECK(pairs.samples == std::vector<TextSample>{{"a", "b", 0}});
}

TEST_CASE("Labels must be classes of the model", "[io][text_dataset]") {
  const TempFolder folder;
  const auto file = folder / "a.jsonl";
  write_text_file(file, "{\"text\": \"a\", \"label\": 2}\n{\"text\": \"b\"}\n");
  CHECK(open_texts(file, 3, "test").samples[1].label == -1);
  CHECK_THROWS_WITH(open_texts(file, 2, "test"),
                    Contains("[test] text 1 of") && Contains("has label 2, but the model has 2"));
  CHECK_THROWS_WITH(open_labelled_texts(file, 3, "test"),
                    Contains("text 2 of") && Contains("has no label"));
  write_text_file(file, "{\"text\": \"a\", \"label\": 2}\n");
  CHECK(open_labelled_texts(file, 3, "test").samples[0].label == 2);
}

TEST_CASE("A text data set that is wrong is refused with its line", "[io][text_dataset]") {
  const TempFolder folder;
  for (const char* line : {"dog\tx", "-1\tx", "1.5\tx", "\tx", "99999999999\tx"}) {
    CHECK_THROWS_WITH(read(folder, "a.tsv", std::string("label\ttext\n0\ta\n") + line),
                      Contains("a.tsv:3") && Contains("a label of 0 or more"));
  }
  CHECK_THROWS_WITH(read(folder, "a.tsv", std::string("label\ttext\n0\ta\0b\n", 17)),
                    Contains("a.tsv") && Contains("a zero byte, as binary files have"));
  CHECK_THROWS_WITH(read(folder, "a.tsv", "label\ttext\nno tab"),
                    Contains("a.tsv:2") && Contains("label<TAB>text,"));
  CHECK_THROWS_WITH(read(folder, "a.tsv", "label\ttext\ttext_pair\n0\tone"),
                    Contains("a.tsv:2") && Contains("<TAB>text_pair"));
  CHECK_THROWS_WITH(read(folder, "a.tsv", "0\tno header"), Contains("a.tsv:1"));
  CHECK_THROWS_WITH(read(folder, "a.tsv", ""), Contains("a.tsv:1"));
  CHECK_THROWS_WITH(read(folder, "a.tsv", "label\ttext\n"), Contains("got none"));

  const std::string good = R"({"text": "a", "label": 0})";
  for (const char* line : {R"({"text": 1})", R"({"label": 1})", R"({"text": "a", "label": "x"})",
                           R"({"text": "a", "label": -1})", R"({"text": "a", "label": 1.5})",
                           R"(["a"])", R"({"text": "a")", R"({"text": "a", "text_pair": 1})",
                           R"({"text": "a", "text_pair": "b"})", "{\"text\": \"\xff\"}"}) {
    CHECK_THROWS_WITH(read(folder, "a.jsonl", good + "\n" + line), Contains("a.jsonl:2"));
  }
  CHECK_THROWS_WITH(read(folder, "a.jsonl", "\n"), Contains("got none"));
}

TEST_CASE("A text data set of another kind says what to do", "[io][text_dataset]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(read_text_dataset(folder / "a.tsv.gz"), Contains("gunzip"));
  CHECK_THROWS_WITH(read_text_dataset(folder / "a.csv"), Contains(".tsv or .jsonl"));
  CHECK_THROWS_AS(read_text_dataset(folder / "missing.tsv"), std::runtime_error);
  write_text_file(folder / "large.tsv", "");
  std::filesystem::resize_file(folder / "large.tsv", (std::uintmax_t{1} << 30) + 1);  // sparse
  CHECK_THROWS_WITH(read_text_dataset(folder / "large.tsv"), Contains("at most"));
}

TEST_CASE("Files of texts are told from lists of pictures", "[io][text_dataset]") {
  const TempFolder folder;
  const auto holds_texts = [&](const char* name, std::string_view content) {
    write_text_file(folder / name, content);
    return is_text_dataset(folder / name);
  };
  CHECK(holds_texts("a.jsonl", "{}"));
  CHECK(holds_texts("a.tsv", "label\ttext\n"));
  CHECK(holds_texts("pairs.tsv", "label\ttext\ttext_pair\n"));
  CHECK_FALSE(holds_texts("list.tsv", "golf/a.jpg\t3\n"));
  CHECK_FALSE(holds_texts("short.tsv", "la"));
  CHECK_FALSE(holds_texts("a.txt", "label\ttext\n"));
  CHECK_FALSE(is_text_dataset(folder / "none.tsv"));
}
