#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include "tokenizer_fixture.h"

using namespace tokensieve;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// Opening `json` after `change` fails with a message that names the file and has `words`.
void refuses(nlohmann::json json, const std::function<void(nlohmann::json&)>& change,
             const std::string& words) {
  const TempFolder folder;
  change(json);
  INFO("expected: " << words);
  CHECK_THROWS_AS(open_json(folder, json), std::runtime_error);
  CHECK_THROWS_WITH(open_json(folder, json), Contains("tokenizer.json") && Contains(words));
}

void bert_refuses(const std::function<void(nlohmann::json&)>& change, const std::string& words) {
  refuses(bert_json(), change, words);
}

void roberta_refuses(const std::function<void(nlohmann::json&)>& change, const std::string& words) {
  refuses(roberta_json(), change, words);
}

/// A sparse file.
void make_large(const fs::path& path, std::uintmax_t bytes) {
  write_text_file(path, "");
  fs::resize_file(path, bytes);
}

}  // namespace

TEST_CASE("A folder without a tokenizer says what is looked for", "[io][tokenizer]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(open_tokenizer(folder.path()), Contains("got none") && Contains("vocab.txt"));
  CHECK_THROWS_AS(open_tokenizer(folder / "missing"), std::runtime_error);
  write_text_file(folder / "vocab.json", "{}");
  CHECK_THROWS_WITH(open_tokenizer(folder.path()), Contains("merges.txt"));
}

TEST_CASE("A vocabulary file that is not BERT's is refused", "[io][tokenizer]") {
  const TempFolder folder;
  const auto open = [&](const std::string& text) {
    write_text_file(folder / "vocab.txt", text);
    return open_tokenizer(folder.path());
  };
  CHECK_THROWS_WITH(open(""), Contains("vocab.txt") && Contains("1 to"));
  CHECK_THROWS_WITH(open("a\nb\n"), Contains("'[UNK]'") && Contains("another model"));
  CHECK_THROWS_WITH(open("[UNK]\n[SEP]\n[PAD]\n"), Contains("'[CLS]'"));
  CHECK_THROWS_WITH(open("[UNK]\n[CLS]\n[PAD]\n"), Contains("'[SEP]'"));
  CHECK_THROWS_WITH(open("[UNK]\n[CLS]\n[SEP]\n"), Contains("'[PAD]'"));
  CHECK_THROWS_WITH(open(std::string((1 << 20) + 1, '\n')), Contains("1 to 1048576 tokens"));
  CHECK_THROWS_WITH(open(std::string((8 << 20) + 1, 'a')), Contains("bytes of tokens"));
  make_large(folder / "vocab.txt", std::uintmax_t{1} << 30);
  CHECK_THROWS_WITH(open_tokenizer(folder.path()), Contains("at most"));
}

TEST_CASE("Line ends, blank lines and double tokens keep the ids of the lines", "[io][tokenizer]") {
  const TempFolder folder;
  write_text_file(folder / "vocab.txt", "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\na\r\n\r\na\r\nb");
  const auto t = open_tokenizer(folder.path());
  CHECK(t->vocab_size() == 8);
  CHECK(t->encode("a b", 9).ids == std::vector<std::int32_t>{2, 6, 7, 3});
  CHECK(t->token(4) == "a");
  CHECK(t->token(5).empty());
}

TEST_CASE("A tokenizer's configuration that is wrong is refused", "[io][tokenizer]") {
  const TempFolder folder;
  for (const char* text : {R"({"do_lower_case": 1})", R"({"unk_token": 3})",
                           R"({"cls_token": {"name": "[CLS]"}})", "[]", "{"}) {
    CHECK_THROWS_WITH(open_bert(folder, {}, text), Contains("tokenizer_config.json"));
  }
  CHECK_THROWS_WITH(open_bert(folder, {}, R"({"sep_token": "</s>"})"), Contains("'</s>'"));
}

TEST_CASE("A tokenizer.json of another kind is refused by its key", "[io][tokenizer]") {
  bert_refuses([](auto& j) { j.erase("model"); }, "'model'");
  bert_refuses([](auto& j) { j["model"]["type"] = "Unigram"; }, "'model.type'");
  bert_refuses([](auto& j) { j["model"] = {{"vocab", {{"a", 0}}}}; }, "'model.type'");
  bert_refuses([](auto& j) { j["normalizer"] = nullptr; }, "'normalizer'");
  bert_refuses([](auto& j) { j["normalizer"]["type"] = "NFKC"; }, "'normalizer.type'");
  bert_refuses([](auto& j) { j["normalizer"]["lowercase"] = 1; }, "'normalizer.lowercase'");
  bert_refuses([](auto& j) { j["normalizer"]["strip_accents"] = "x"; }, "strip_accents'");
  bert_refuses([](auto& j) { j["pre_tokenizer"]["type"] = "Whitespace"; }, "'pre_tokenizer.type'");
  bert_refuses([](auto& j) { j["model"]["unk_token"] = "<unk>"; }, "'<unk>'");
  bert_refuses([](auto& j) { j["model"]["max_input_chars_per_word"] = -1; }, "per_word'");
  bert_refuses([](auto& j) { j["model"]["continuing_subword_prefix"] = 1; }, "subword_prefix'");
  bert_refuses([](auto& j) { j["post_processor"] = nullptr; }, "'post_processor'");
  bert_refuses([](auto& j) { j["post_processor"]["type"] = "ByteLevel"; }, "'post_processor.type'");

  roberta_refuses([](auto& j) { j["normalizer"] = {{"type", "NFC"}}; }, "'normalizer'");
  roberta_refuses([](auto& j) { j["pre_tokenizer"]["type"] = "Sequence"; }, "'pre_tokenizer.type'");
  roberta_refuses([](auto& j) { j["pre_tokenizer"]["use_regex"] = false; }, "use_regex'");
  roberta_refuses([](auto& j) { j["model"]["dropout"] = 0.1; }, "'model.dropout'");
  roberta_refuses([](auto& j) { j["model"]["byte_fallback"] = true; }, "byte_fallback'");
  roberta_refuses([](auto& j) { j["model"]["ignore_merges"] = true; }, "ignore_merges'");
  roberta_refuses([](auto& j) { j["model"]["end_of_word_suffix"] = "</w>"; },
                  "end_of_word_suffix'");
  roberta_refuses([](auto& j) { j["model"]["continuing_subword_prefix"] = "@@"; },
                  "subword_prefix'");
  roberta_refuses([](auto& j) { j["post_processor"]["type"] = "BertProcessing"; },
                  "RobertaProcessing");
}

TEST_CASE("A vocabulary with wrong ids is refused", "[io][tokenizer]") {
  for (const nlohmann::json& id :
       {nlohmann::json(3), nlohmann::json(-1), nlohmann::json(7), nlohmann::json(1.5),
        nlohmann::json("4"), nlohmann::json(std::uint64_t{1} << 63)}) {
    bert_refuses([&](auto& j) { j["model"]["vocab"]["a"] = id; }, "expected ids 0 to 5");
  }
  bert_refuses([](auto& j) { j["model"]["vocab"] = nlohmann::json::array(); }, "got array");
  bert_refuses([](auto& j) { j["model"]["vocab"] = nlohmann::json::object(); }, "got 0");
}

TEST_CASE("Added tokens that do not fit are refused", "[io][tokenizer]") {
  const auto entry = [](const char* key, nlohmann::json value) {
    return [=](nlohmann::json& j) { j["added_tokens"][1][key] = value; };
  };
  bert_refuses(entry("content", ""), "'added_tokens[1].content'");
  bert_refuses(entry("content", "[NEW]"), "'added_tokens[1].id' to be that of '[NEW]'");
  bert_refuses(entry("id", 7), "'added_tokens[1].id'");
  bert_refuses(entry("id", -1), "'added_tokens[1].id'");
  bert_refuses(entry("lstrip", nullptr), "'added_tokens[1].lstrip'");
  bert_refuses(entry("single_word", true), "'added_tokens[1].single_word'");
  bert_refuses(entry("normalized", true), "'[UNK]'");
  bert_refuses([](auto& j) { j["added_tokens"][0] = 3; }, "added_tokens[0]");
  bert_refuses([](auto& j) { j["added_tokens"] = 3; }, "'added_tokens'");
  bert_refuses(
      [](auto& j) {
        for (int k = 0; k < 1001; ++k) j["added_tokens"].push_back(j["added_tokens"][0]);
      },
      "at most 1000");
  bert_refuses(
      [](auto& j) {
        j["added_tokens"].push_back(j["added_tokens"][0]);
        j["added_tokens"][4]["id"] = 6;
        j["added_tokens"].push_back(j["added_tokens"][0]);
        j["added_tokens"][5]["id"] = 6;
        j["added_tokens"][5]["content"] = "[X]";
      },
      "'added_tokens[5].id' to be the next, 7");
}

TEST_CASE("Frames that are no frames are refused", "[io][tokenizer]") {
  const auto part = [](const char* key, std::size_t k, nlohmann::json value) {
    return [=](nlohmann::json& j) { j["post_processor"][key][k] = value; };
  };
  const nlohmann::json a = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  bert_refuses(part("single", 0, a), "'post_processor.single'");
  bert_refuses(part("pair", 3, a), "'post_processor.pair'");
  bert_refuses(part("pair", 0, 3), "post_processor.pair[0]");
  bert_refuses(part("single", 1, {{"Sequence", {{"id", "C"}, {"type_id", 0}}}}), "single[1]");
  bert_refuses(part("single", 1, {{"Sequence", {{"id", "A"}, {"type_id", 2}}}}), "type_id'");
  bert_refuses(part("single", 0, {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}}), "Token.id'");
  bert_refuses(part("single", 0, {{"SpecialToken", {{"id", "[CLS]"}, {"type_id", -1}}}}),
               "type_id'");
  bert_refuses([](auto& j) { j["post_processor"]["single"] = 3; }, "'post_processor.single'");
  bert_refuses(
      [](auto& j) {
        auto& list = j["post_processor"]["single"];
        while (list.size() < 101) list.push_back(nlohmann::json(list[0]));
      },
      "at most 100");
  roberta_refuses([](auto& j) { j["post_processor"]["sep"] = "</s>"; }, "'post_processor.sep'");
  roberta_refuses(
      [](auto& j) {
        j["post_processor"]["sep"] = {"</s>", 0};
      },
      "'post_processor.sep'");
  roberta_refuses(
      [](auto& j) {
        j["post_processor"]["cls"] = {"[CLS]", 0};
      },
      "'post_processor.cls'");
}

TEST_CASE("Byte-level BPE with holes is refused", "[io][tokenizer]") {
  roberta_refuses([](auto& j) { j["model"]["merges"].push_back("x y"); }, "'xy'");
  roberta_refuses([](auto& j) { j["model"]["merges"].push_back("ab nowhere"); }, "'nowhere'");
  roberta_refuses([](auto& j) { j["model"]["merges"].push_back("ab"); }, "merge 4");
  roberta_refuses([](auto& j) { j["model"]["merges"].push_back("a b c"); }, "merge 4");
  roberta_refuses([](auto& j) { j["model"]["merges"].push_back(3); }, "merge 4");
  roberta_refuses([](auto& j) { j["model"]["merges"] = "a b"; }, "'model.merges'");
  roberta_refuses(
      [](auto& j) {
        auto& vocab = j["model"]["vocab"];
        const int id = vocab["x"];
        vocab.erase("x");
        vocab["xx"] = id;
      },
      "the symbol of byte 120");
  roberta_refuses(
      [](auto& j) {
        auto& vocab = j["model"]["vocab"];
        const int id = vocab["<pad>"];
        vocab.erase("<pad>");
        vocab["[PAD]"] = id;
      },
      "'<pad>'");
}

TEST_CASE("RoBERTa's two files are checked as its one", "[io][tokenizer]") {
  const TempFolder folder;
  nlohmann::json vocab = roberta_json()["model"]["vocab"];
  const auto open = [&](const std::string& ids, const std::string& merges) {
    write_text_file(folder / "vocab.json", ids);
    write_text_file(folder / "merges.txt", merges);
    return open_tokenizer(folder.path());
  };
  const auto t = open(vocab.dump(), "#version: 0.2\na b\r\n\nab c\n");
  CHECK(t->encode("abc", 9).ids == std::vector<std::int32_t>{0, vocab["abc"], 2});
  CHECK_THROWS_WITH(open(vocab.dump(), "a b\nabc\n"),
                    Contains("merges.txt") && Contains("merge 1"));
  std::string many;
  for (int k = 0; k <= 1 << 20; ++k) many += "a b\n";
  CHECK_THROWS_WITH(open(vocab.dump(), many), Contains("at most 1048576 merges"));
  CHECK_THROWS_WITH(open("[]", ""), Contains("vocab.json"));
  CHECK_THROWS_WITH(open("{", ""), Contains("vocab.json"));
  vocab["[MASK]"] = vocab["<s>"];
  vocab.erase("<s>");
  CHECK_THROWS_WITH(open(vocab.dump(), ""), Contains("'<s>'"));
}

TEST_CASE("A tokenizer.json that is too large, deep or no JSON is refused", "[io][tokenizer]") {
  const TempFolder folder;
  for (const char* text : {"", "{", "3", "{\"model\": \"\xff\"}"}) {
    write_text_file(folder / "tokenizer.json", text);
    CHECK_THROWS_WITH(open_tokenizer(folder.path()), Contains("tokenizer.json"));
  }
  write_text_file(folder / "tokenizer.json", std::string(100, '['));
  CHECK_THROWS_WITH(open_tokenizer(folder.path()), Contains("nesting"));
  make_large(folder / "tokenizer.json", std::uintmax_t{1} << 30);
  CHECK_THROWS_WITH(open_tokenizer(folder.path()), Contains("at most"));
}
