#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

/// An object of a JSON file that is not trusted, read key by key. Every getter throws runtime_error
/// naming the file, the key with those of the objects around it, what was expected and what came. A
/// key whose value is null counts as absent. A view: the JSON outlives it.
class JsonObject {
 public:
  /// `file` names the file in messages; `scope` the object in it, "" at the top.
  JsonObject(const nlohmann::json& value, std::string file, std::string scope = "");

  const std::string& file() const { return file_; }
  const nlohmann::json& json() const { return *value_; }

  bool has(std::string_view key) const;
  /// The value as it is; null if absent.
  const nlohmann::json& get(std::string_view key) const;

  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most) const;
  double number(std::string_view key, double least, double most) const;
  bool flag(std::string_view key) const;
  std::string text(std::string_view key) const;
  JsonObject object(std::string_view key) const;
  std::vector<JsonObject> objects(std::string_view key, std::size_t max_count) const;
  std::vector<double> numbers(std::string_view key, std::size_t count, double least,
                              double most) const;
  std::vector<int> integers(std::string_view key, std::size_t max_count, int least, int most) const;

  /// Throws the error of `key` when it is there and is another number than the tensors say.
  void check_agrees(std::string_view key, double tensors_say) const;

  /// Throws the error of a key: `file: expected 'scope.key' to be <expected>, got <value>`.
  [[noreturn]] void fail(std::string_view key, std::string_view expected) const;

 private:
  const nlohmann::json* value_;
  std::string file_;
  std::string scope_;
};

}  // namespace tokensieve
