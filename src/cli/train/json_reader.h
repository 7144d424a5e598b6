#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/printable.h"

namespace tokensieve::cli {

/// The JSON in `text` of a file called `file`. Throws std::runtime_error for text that is no JSON,
/// nested too deeply, or has a key twice.
nlohmann::json parse_json(const std::string& text, const std::string& file);

/// An object of a JSON file written by hand: every key is optional, an unknown one is an error.
class JsonReader {
 public:
  JsonReader(nlohmann::json object, std::string scope)
      : object_(std::move(object)), scope_(std::move(scope)) {
    if (!object_.is_object()) {
      fail_runtime("[config] expected '", scope_, "' to be an object, got ",
                   printable(object_.dump(), 100));
    }
  }

  /// Overwrites `value` if the key is there. Throws std::runtime_error for another type.
  template <typename Value>
  void read(const std::string& key, Value& value) {
    const nlohmann::json* const found = find(key);
    if (found) value = convert<Value>(key, *found);
  }

  /// The value of a key, or null.
  const nlohmann::json* find(const std::string& key) {
    known_.push_back(key);
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  /// Throws for keys that nothing asked for.
  void finish() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(known_, key) != known_.end()) continue;
      fail_runtime("[config] unknown key '", key, "' in ", scope_, did_you_mean(key, known_));
    }
  }

 private:
  /// False for an integer that the type cannot hold, which would be cut to another.
  template <typename Value>
  static bool in_range(const nlohmann::json& json) {
    const auto holds = []<typename Integer>(const nlohmann::json& item, Integer) {
      return item.is_number_unsigned() ? std::in_range<Integer>(item.get<uint64_t>())
                                       : std::in_range<Integer>(item.get<int64_t>());
    };
    if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
      return holds(json, Value{});
    } else if constexpr (std::is_same_v<Value, std::vector<int>>) {
      return std::ranges::all_of(json, [&](const auto& item) { return holds(item, int{}); });
    } else {
      return true;
    }
  }

  /// What a value of the type is called in errors.
  template <typename Value>
  static std::string kind() {
    if constexpr (std::is_same_v<Value, bool>) return "true or false";
    if constexpr (std::is_same_v<Value, std::string>) return "a word in quotes";
    if constexpr (std::is_integral_v<Value>) {
      return cat("a whole number from ", std::numeric_limits<Value>::min(), " to ",
                 std::numeric_limits<Value>::max());
    }
    if constexpr (std::is_floating_point_v<Value>) return "a number";
    if constexpr (std::is_same_v<Value, std::vector<int>>) return "a list of whole numbers";
    if constexpr (std::is_same_v<Value, std::vector<std::string>>) return "a list of words";
    return "a list of numbers";
  }

  template <typename Value>
  Value convert(const std::string& key, const nlohmann::json& json) const {
    const bool fits = std::is_same_v<Value, bool>          ? json.is_boolean()
                      : std::is_same_v<Value, std::string> ? json.is_string()
                      : std::is_unsigned_v<Value>          ? json.is_number_unsigned()
                      : std::is_integral_v<Value>          ? json.is_number_integer()
                      : std::is_same_v<Value, std::vector<int>>
                          ? json.is_array() &&
                                std::ranges::all_of(
                                    json, [](const auto& item) { return item.is_number_integer(); })
                      : std::is_floating_point_v<Value> ? json.is_number()
                                                        : json.is_array();
    try {
      if (fits && in_range<Value>(json)) return json.get<Value>();
    } catch (const nlohmann::json::exception&) {  // an array of something else
    }
    fail_runtime("[config] expected '", key, "' in ", scope_, " to be ", kind<Value>(), ", got ",
                 printable(json.dump(), 100));
  }

  nlohmann::json object_;
  std::string scope_;
  std::vector<std::string> known_;
};

}  // namespace tokensieve::cli
