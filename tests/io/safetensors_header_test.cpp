#include "safetensors_header.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>

#include "temp_folder.h"
#include "tokensieve/io/file.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

/// A file of this header, its length in front, and `data_bytes` bytes after it.
std::string file_text(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + header + std::string(data_bytes, '\x01');
}

// Not write_text_file: waiting for the disk thousands of times would take a minute.
void write_quickly(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// The message with which the file is refused, or "no error".
std::string open_error(const std::string& text) {
  const TempFolder folder;
  write_quickly(folder / "bad.safetensors", text);
  try {
    SafetensorsFile::open(folder / "bad.safetensors");
  } catch (const std::runtime_error& error) {
    CHECK_THAT(error.what(), Contains("bad.safetensors"));
    return error.what();
  }
  return "no error";
}

/// The same for a header of one tensor 'w' with these fields, and 8 bytes of data.
std::string tensor_error(const std::string& fields) {
  return open_error(file_text("{\"w\":{" + fields + "}}", 8));
}

std::string two_tensors(const std::string& first, const std::string& second) {
  const std::string start = R"({"dtype":"U8","shape":[4],"data_offsets":)";
  return "{\"a\":" + start + first + "},\"b\":" + start + second + "}}";
}

}  // namespace

TEST_CASE("A header with white space in and after it, in any key order, is accepted",
          "[io][safetensors]") {
  CHECK(open_error(file_text("{ \"w\" : {\"data_offsets\":[0,8],\n\"shape\":[2],\"dtype\":\"F32\"},"
                             "\"__metadata__\":{}}  \n ",
                             8)) == "no error");
}

TEST_CASE("Tensors may lie in any order and be empty", "[io][safetensors]") {
  CHECK(open_error(file_text(two_tensors("[4,8]", "[0,4]"), 8)) == "no error");
  const std::string empty = R"({"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":)";
  CHECK(open_error(file_text("{\"e\":" + empty + "[0,0]}}", 0)) == "no error");
  CHECK(open_error(file_text("{\"e\":" + empty + "[0,0]},\"f\":" + empty + "[0,0]}}", 0)) ==
        "no error");
}

TEST_CASE("A file whose start is not a safetensors header is refused", "[io][safetensors]") {
  CHECK_THAT(open_error(""), Contains("expected at least 8 bytes, got 0"));
  CHECK_THAT(open_error("1234567"), Contains("expected at least 8 bytes, got 7"));
  CHECK_THAT(open_error(std::string(8, '\0')), Contains("starts with '{'"));
  CHECK_THAT(open_error("a picture, perhaps"), Contains("at most 100000000 bytes"));
  CHECK_THAT(open_error(std::string(8, '\xFF')), Contains("got 18446744073709551615"));
  CHECK_THAT(open_error(file_text("{}", 0).substr(0, 9)),
             Contains("expected 2 bytes of header, got 1; the file is cut short"));
  CHECK_THAT(open_error(file_text(" {}", 0)), Contains("starts with '{'"));
  CHECK_THAT(open_error(file_text("[]", 0)), Contains("starts with '{'"));
  CHECK_THAT(open_error(file_text("\xEF\xBB\xBF{}", 0)), Contains("starts with '{'"));
  CHECK_THROWS_WITH(SafetensorsFile::open("no/such/file"), Contains("No such file"));
}

TEST_CASE("A header that is not JSON is refused with the position", "[io][safetensors]") {
  const char* header =
      GENERATE("{", "{]", "{\"w\"}", "{} x", "{}{}", "{\"\xFF\":{}}", "{\"__metadata__\":{},}",
               "{/**/}", "{\"__metadata__\":{\"a\":\"\xC0\x80\"}}");
  CAPTURE(header);
  CHECK_THAT(open_error(file_text(header, 0)), Contains("at line 1, column"));
}

TEST_CASE("A zero byte does not end the header unseen", "[io][safetensors]") {
  CHECK_THAT(open_error(file_text(std::string("{}\0\0", 4), 0)), Contains("zero byte at byte 2"));
}

TEST_CASE("A deeply nested header is refused at its first wrong bracket", "[io][safetensors]") {
  const std::string deep(5'000'000, '[');
  CHECK_THAT(open_error(file_text("{\"w\":" + deep, 0)),
             Contains("expected an object at 'w', got an array"));
  CHECK_THAT(tensor_error("\"shape\":" + deep), Contains("in shape, got an array"));
  std::string objects = "{";
  for (int i = 0; i < 1'000'000; ++i) objects += "\"w\":{";
  CHECK_THAT(open_error(file_text(objects, 0)), Contains("unknown key 'w'"));
}

TEST_CASE("A key that comes twice is refused", "[io][safetensors]") {
  const std::string tensor = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  CHECK_THAT(open_error(file_text("{\"w\":" + tensor + ",\"\\u0077\":" + tensor + "}", 0)),
             Contains("key 'w' comes twice"));
  CHECK_THAT(open_error(file_text(R"({"__metadata__":{},"__metadata__":{}})", 0)),
             Contains("key '__metadata__' comes twice"));
  CHECK_THAT(open_error(file_text(R"({"__metadata__":{"a":"1","a":"1"}})", 0)),
             Contains("key 'a' comes twice"));
  CHECK_THAT(tensor_error(R"("dtype":"F32","dtype":"F32")"),
             Contains("'w': key 'dtype' comes twice"));
  CHECK_THAT(tensor_error(R"("shape":[2],"shape":[2])"), Contains("key 'shape' comes twice"));
  CHECK_THAT(tensor_error(R"("data_offsets":[0,8],"data_offsets":[0,8])"),
             Contains("key 'data_offsets' comes twice"));
}

TEST_CASE("Metadata must be an object of texts", "[io][safetensors]") {
  const char* metadata = GENERATE("1", "null", "\"text\"", "[]");
  CHECK_THAT(open_error(file_text(std::string("{\"__metadata__\":") + metadata + "}", 0)),
             Contains("expected an object at '__metadata__'"));
  const char* value = GENERATE("1", "-1", "0.5", "null", "true", "{}", "[]");
  CHECK_THAT(open_error(file_text(std::string("{\"__metadata__\":{\"k\":") + value + "}}", 0)),
             Contains("expected text at metadata key 'k'"));
}

TEST_CASE("A tensor has exactly dtype, shape and data_offsets", "[io][safetensors]") {
  CHECK_THAT(tensor_error(R"("shape":[2],"data_offsets":[0,8])"), Contains("'w': no dtype"));
  CHECK_THAT(tensor_error(R"("dtype":"F32","data_offsets":[0,8])"), Contains("'w': no shape"));
  CHECK_THAT(tensor_error(R"("dtype":"F32","shape":[2])"), Contains("'w': no data_offsets"));
  CHECK_THAT(tensor_error(R"("strides":[1])"), Contains("'w': unknown key 'strides'"));
  const char* value = GENERATE("1", "null", "\"text\"", "[]", "true", "0.5", "-1");
  CHECK_THAT(open_error(file_text(std::string("{\"w\":") + value + "}", 0)),
             Contains("expected an object at 'w'"));
}

TEST_CASE("A dtype is a known name", "[io][safetensors]") {
  CHECK_THAT(tensor_error(R"("dtype":"F33")"), Contains("'w': unknown dtype 'F33'"));
  CHECK_THAT(tensor_error(R"("dtype":"f32")"), Contains("unknown dtype 'f32'"));
  const char* value = GENERATE("1", "null", "{}", "[]");
  CHECK_THAT(tensor_error(std::string("\"dtype\":") + value),
             Contains("'w': expected text at dtype"));
}

TEST_CASE("A shape is a list of integers from 0", "[io][safetensors]") {
  const char* value =
      GENERATE("[-1]", "[-0]", "[2.0]", "[1e0]", "[9223372036854775808]", "[18446744073709551616]",
               "[\"2\"]", "[null]", "[true]", "[[2]]", "[{}]");
  CAPTURE(value);
  CHECK_THAT(tensor_error(std::string("\"shape\":") + value),
             Contains("'w': expected only integers from 0"));
  CHECK_THAT(tensor_error("\"shape\":2"), Contains("'w': expected a list at shape, got 2"));
  CHECK_THAT(tensor_error("\"shape\":{}"),
             Contains("'w': expected a list at shape, got an object"));
}

TEST_CASE("A shape has at most 64 dimensions, which bounds its memory", "[io][safetensors]") {
  std::string ones = "1";
  for (int i = 1; i < 64; ++i) ones += ",1";
  CHECK(tensor_error(R"("dtype":"F64","data_offsets":[0,8],"shape":[)" + ones + "]") == "no error");
  CHECK_THAT(tensor_error("\"shape\":[" + ones + ",1]"), Contains("'w': more than 64 dimensions"));
}

TEST_CASE("Offsets are two integers from 0", "[io][safetensors]") {
  const char* value = GENERATE("[]", "[0]", "[0,8,8]", "[0,-8]", "[0,8.0]",
                               "[0,18446744073709551616]", "[0,\"8\"]", "[0,[8]]", "[0,null]");
  CAPTURE(value);
  CHECK_THAT(tensor_error(std::string("\"data_offsets\":") + value),
             Contains("'w': expected exactly two integers"));
}

TEST_CASE("Shape, type and offsets must agree without overflow", "[io][safetensors]") {
  const auto error = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return tensor_error("\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
                        ",\"data_offsets\":" + offsets);
  };
  CHECK(error("F32", "[2]", "[0,8]") == "no error");
  CHECK_THAT(error("F32", "[3]", "[0,8]"), Contains("'w': expected 12 bytes for its shape, got 8"));
  CHECK_THAT(error("F32", "[2]", "[8,0]"),
             Contains("'w': data_offsets run backwards, from 8 to 0"));
  CHECK_THAT(error("F32", "[4294967296,4294967296]", "[0,0]"), Contains("'w': shape overflows"));
  CHECK_THAT(error("F32", "[4611686018427387904]", "[0,0]"), Contains("'w': shape overflows"));
  CHECK_THAT(error("F4", "[15]", "[0,8]"), Contains("does not fill whole bytes of F4"));
  CHECK_THAT(error("U8", "[8]", "[18446744073709551608,18446744073709551615]"), Contains("got 7"));
  CHECK_THAT(error("U8", "[8]", "[18446744073709551607,18446744073709551615]"), Contains("hole"));
}

TEST_CASE("Tensors cover the data once and to its last byte", "[io][safetensors]") {
  CHECK(open_error(file_text(two_tensors("[0,4]", "[4,8]"), 8)) == "no error");
  CHECK_THAT(open_error(file_text(two_tensors("[0,4]", "[3,7]"), 7)),
             Contains("'b': overlaps the tensor before it: begins at 3, expected 4"));
  CHECK_THAT(open_error(file_text(two_tensors("[0,4]", "[0,4]"), 8)), Contains("overlaps"));
  CHECK_THAT(open_error(file_text(two_tensors("[0,4]", "[5,9]"), 9)),
             Contains("'b': leaves a hole before it: begins at 5, expected 4"));
  CHECK_THAT(open_error(file_text(two_tensors("[1,5]", "[5,9]"), 9)),
             Contains("'a': leaves a hole"));
  CHECK_THAT(open_error(file_text(two_tensors("[0,4]", "[4,8]"), 7)),
             Contains("expected 8 bytes of tensors, got 7; the file is cut short"));
  CHECK_THAT(open_error(file_text(two_tensors("[0,4]", "[4,8]"), 9)),
             Contains("expected 8 bytes of tensors, got 9; something follows the last tensor"));
  CHECK_THAT(open_error(file_text("{}", 1)), Contains("something follows"));
}

TEST_CASE("A hostile name cannot flood or drive the reader's terminal", "[io][safetensors]") {
  const std::string name = "\\u001b[31m" + std::string(1'000'000, 'x');
  const std::string message = open_error(file_text("{\"" + name + "\":1}", 0));
  CHECK(message.size() < 400);
  CHECK_THAT(message, Contains("\\x1b[31mxxx"));
}

TEST_CASE("Thousands of damaged headers are refused or read, never more", "[io][safetensors]") {
  const std::string valid =
      read_text_file(TOKENSIEVE_TEST_DATA "/python_written.safetensors", 10'000);
  const std::size_t header_end = valid.rfind("}}") + 2;
  const std::size_t data_bytes = valid.size() - header_end;
  const char* const kPieces[] = {"{",
                                 "}",
                                 "[",
                                 "]",
                                 ",",
                                 ":",
                                 "\"",
                                 "\\",
                                 "0",
                                 "-1",
                                 "1e9",
                                 "null",
                                 "18446744073709551615",
                                 "\"shape\":[",
                                 "\"dtype\":\"F32\"",
                                 "\xC3"};
  std::mt19937 random(20240607);
  const auto pick = [&random](std::size_t below) { return random() % below; };
  const auto damage = [&](std::string text) {
    for (std::size_t blows = pick(3) + 1; blows > 0 && !text.empty(); --blows) {
      const std::size_t at = pick(text.size());
      switch (pick(6)) {
        case 0:
          text[at] = static_cast<char>(pick(256));
          break;
        case 1:
          text[at] = static_cast<char>('0' + pick(10));
          break;
        case 2:
          text.erase(at, pick(8) + 1);
          break;
        case 3:
          text.insert(at, kPieces[pick(std::size(kPieces))]);
          break;
        case 4:
          text.insert(at, text.substr(pick(text.size()), pick(60)));
          break;
        default:
          text.resize(text.size() - pick(text.size()) / 8);
          break;
      }
    }
    return text;
  };
  int refused = 0, parsed = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string header = damage(valid.substr(8, header_end - 8));
    try {
      for (const auto& [name, tensor] : parse_safetensors_header(header, data_bytes, "f").tensors) {
        REQUIRE(tensor.begin <= tensor.end);
        REQUIRE(tensor.end <= data_bytes);
        REQUIRE(tensor_bytes(tensor.dtype, tensor.shape) == tensor.end - tensor.begin);
      }
      ++parsed;
    } catch (const std::runtime_error&) {
      ++refused;
    }
  }
  CHECK(refused > 3000);
  CHECK(parsed > 10);  // a changed letter of a name, say

  const TempFolder folder;
  for (int round = 0; round < 200; ++round) {  // the length in front and the data damaged too
    write_quickly(folder / "f", damage(valid));
    try {
      const auto file = SafetensorsFile::open(folder / "f");
      for (const std::string& name : file.names()) {
        std::vector<std::byte> bytes(file.info(name).end - file.info(name).begin);
        file.read(name, bytes);
      }
    } catch (const std::runtime_error&) {
    }
  }
}
