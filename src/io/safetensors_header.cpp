#include "safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "json_util.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

using nlohmann::json;

std::string in_quotes(std::string_view name) { return cat("'", printable(name), "'"); }

/// Builds the header from parser events. Each state takes only the events that belong there, so
/// wrong nesting ends at its first bracket and a hostile text costs no more memory than a valid
/// one.
class HeaderBuilder : public json::json_sax_t {
 public:
  explicit HeaderBuilder(const std::string& path) : path_(path) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool number_integer(number_integer_t value) override { unexpected(value); }
  bool number_float(number_float_t, const string_t& text) override { unexpected(printable(text)); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ == State::kShape) {
      constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
      if (value > static_cast<std::uint64_t>(kMax)) unexpected(value);
      if (tensor_.shape.size() == kMaxDimensions) {
        fail("more than ", kMaxDimensions, " dimensions");
      }
      tensor_.shape.push_back(static_cast<std::int64_t>(value));
    } else if (state_ == State::kOffsets && offsets_ < 2) {
      (offsets_++ == 0 ? tensor_.begin : tensor_.end) = value;
    } else {
      unexpected(value);
    }
    return true;
  }

  bool string(string_t& value) override {
    if (state_ == State::kMetadata) {
      header_.metadata[key_] = std::move(value);
    } else if (state_ == State::kTensor && key_ == "dtype") {
      const auto dtype = dtype_from_name(value);
      if (!dtype) fail("unknown dtype ", in_quotes(value));
      tensor_.dtype = *dtype;
    } else {
      unexpected(cat("text ", in_quotes(value)));
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (state_ == State::kStart) {
      state_ = State::kRoot;
    } else if (state_ == State::kRoot && key_ == kMetadataKey) {
      state_ = State::kMetadata;
    } else if (state_ == State::kRoot) {
      tensor_ = TensorInfo{key_, DType::BOOL, {}, 0, 0};
      has_dtype_ = has_shape_ = has_offsets_ = false;
      state_ = State::kTensor;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& name) override {
    bool is_new = true;
    if (state_ == State::kRoot) {
      is_new = name == kMetadataKey ? !std::exchange(has_metadata_, true)
                                    : !header_.tensors.contains(name);
    } else if (state_ == State::kMetadata) {
      is_new = !header_.metadata.contains(name);
    } else if (name == "dtype") {
      is_new = !std::exchange(has_dtype_, true);
    } else if (name == "shape") {
      is_new = !std::exchange(has_shape_, true);
    } else if (name == "data_offsets") {
      is_new = !std::exchange(has_offsets_, true);
    } else {
      fail("unknown key ", in_quotes(name), "; expected dtype, shape and data_offsets");
    }
    if (!is_new) fail("key ", in_quotes(name), " comes twice");
    key_ = std::move(name);
    return true;
  }

  bool end_object() override {
    if (state_ == State::kTensor) {
      if (!has_dtype_) fail("no dtype");
      if (!has_shape_) fail("no shape");
      if (!has_offsets_) fail("no data_offsets");
      std::string name = tensor_.name;
      header_.tensors.emplace(std::move(name), std::move(tensor_));
    }
    state_ = State::kRoot;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ == State::kTensor && key_ == "shape") {
      state_ = State::kShape;
    } else if (state_ == State::kTensor && key_ == "data_offsets") {
      state_ = State::kOffsets;
      offsets_ = 0;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    if (state_ == State::kOffsets && offsets_ != 2) unexpected("the end of the list");
    state_ = State::kTensor;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    fail_json_syntax(path_, error);
  }

 private:
  enum class State { kStart, kRoot, kMetadata, kTensor, kShape, kOffsets };

  template <typename... Args>
  [[noreturn]] void fail(const Args&... args) const {
    const bool in_tensor = state_ >= State::kTensor;
    fail_runtime("[safetensors] ", path_, ": ", in_tensor ? in_quotes(tensor_.name) + ": " : "",
                 args...);
  }

  template <typename Value>
  [[noreturn]] void unexpected(const Value& got) const {
    fail("expected ", expected(), ", got ", got);
  }

  std::string expected() const {
    switch (state_) {
      case State::kStart:
        return "an object of tensors";
      case State::kRoot:
        return cat("an object at ", in_quotes(key_));
      case State::kMetadata:
        return cat("text at metadata key ", in_quotes(key_));
      case State::kTensor:
        return key_ == "dtype" ? "text at dtype" : "a list at " + key_;
      case State::kShape:
        return "only integers from 0 to 2^63-1 in shape";
      case State::kOffsets:
        return "exactly two integers from 0 to 2^64-1 in data_offsets";
    }
    return "";
  }

  const std::string& path_;
  SafetensorsHeader header_;
  State state_ = State::kStart;
  std::string key_;
  TensorInfo tensor_{};
  int offsets_ = 0;
  bool has_metadata_ = false, has_dtype_ = false, has_shape_ = false, has_offsets_ = false;
};

/// The tensors must tile [0, data_bytes), and each must have the size its shape asks for.
void check_layout(const SafetensorsHeader& header, std::uint64_t data_bytes,
                  const std::string& path) {
  std::vector<const TensorInfo*> by_offset;
  by_offset.reserve(header.tensors.size());
  for (const auto& [name, tensor] : header.tensors) by_offset.push_back(&tensor);
  std::ranges::sort(by_offset, {}, [](const TensorInfo* t) { return std::pair(t->begin, t->end); });

  std::uint64_t covered = 0;
  for (const TensorInfo* tensor : by_offset) {
    const auto check = [&](bool ok, const auto&... message) {
      check_runtime(ok, "[safetensors] ", path, ": ", in_quotes(tensor->name), ": ", message...);
    };
    check(tensor->begin <= tensor->end, "data_offsets run backwards, from ", tensor->begin, " to ",
          tensor->end);
    const auto bytes = tensor_bytes(tensor->dtype, tensor->shape);
    check(bytes.has_value(), "shape overflows or does not fill whole bytes of ",
          dtype_name(tensor->dtype));
    const std::uint64_t given = tensor->end - tensor->begin;
    check(given == *bytes, "expected ", *bytes, " bytes for its shape, got ", given);
    check(tensor->begin >= covered, "overlaps the tensor before it: begins at ", tensor->begin,
          ", expected ", covered);
    check(tensor->begin == covered, "leaves a hole before it: begins at ", tensor->begin,
          ", expected ", covered);
    covered = tensor->end;
  }
  check_runtime(covered <= data_bytes, "[safetensors] ", path, ": expected ", covered,
                " bytes of tensors, got ", data_bytes, "; the file is cut short");
  check_runtime(covered == data_bytes, "[safetensors] ", path, ": expected ", covered,
                " bytes of tensors, got ", data_bytes, "; something follows the last tensor");
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_bytes,
                                           const std::string& path) {
  // Not even white space may come first: other readers tell the format by this byte.
  check_runtime(text.starts_with('{'), "[safetensors] ", path,
                ": expected a header that starts with '{'; is it a safetensors file?");
  check_no_zero_byte(text, path);
  HeaderBuilder builder(path);
  json::sax_parse(text, &builder);
  SafetensorsHeader header = builder.take();
  check_layout(header, data_bytes, path);
  return header;
}

}  // namespace tokensieve
