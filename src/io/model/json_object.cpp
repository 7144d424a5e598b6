#include "model/json_object.h"

#include <utility>

#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

bool is_integer_in(const nlohmann::json& value, std::int64_t least, std::int64_t most) {
  // Unsigned numbers past the signed range are kept apart by the parser and would wrap.
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return false;
  return value.is_number_integer() && value.get<std::int64_t>() >= least &&
         value.get<std::int64_t>() <= most;
}

bool is_number_in(const nlohmann::json& value, double least, double most) {
  return value.is_number() && value.get<double>() >= least && value.get<double>() <= most;
}

}  // namespace

JsonObject::JsonObject(const nlohmann::json& value, std::string file, std::string scope)
    : value_(&value), file_(std::move(file)), scope_(std::move(scope)) {
  check_runtime(value.is_object(), "[model_folder] ", file_, ": expected an object",
                scope_.empty() ? "" : " in '" + printable(scope_) + "'", ", got ",
                value.type_name());
}

const nlohmann::json& JsonObject::get(std::string_view key) const {
  static const nlohmann::json null;
  const auto found = value_->find(key);
  return found == value_->end() ? null : *found;
}

bool JsonObject::has(std::string_view key) const { return !get(key).is_null(); }

void JsonObject::fail(std::string_view key, std::string_view expected) const {
  const std::string path = scope_.empty() ? std::string(key) : cat(scope_, ".", key);
  fail_runtime("[model_folder] ", file_, ": expected '", printable(path), "' to be ", expected,
               ", got ", has(key) ? printable(get(key).dump()) : "nothing");
}

void JsonObject::check_agrees(std::string_view key, double tensors_say) const {
  if (has(key) && number(key, 0, 1e9) != tensors_say) {
    fail(key, cat("what the tensors say, ", tensors_say));
  }
}

std::int64_t JsonObject::integer(std::string_view key, std::int64_t least,
                                 std::int64_t most) const {
  if (!is_integer_in(get(key), least, most)) {
    fail(key, cat("an integer in [", least, ", ", most, "]"));
  }
  return get(key).get<std::int64_t>();
}

double JsonObject::number(std::string_view key, double least, double most) const {
  if (!is_number_in(get(key), least, most)) fail(key, cat("a number in [", least, ", ", most, "]"));
  return get(key).get<double>();
}

bool JsonObject::flag(std::string_view key) const {
  if (!get(key).is_boolean()) fail(key, "true or false");
  return get(key).get<bool>();
}

std::string JsonObject::text(std::string_view key) const {
  if (!get(key).is_string()) fail(key, "a string");
  return get(key).get<std::string>();
}

JsonObject JsonObject::object(std::string_view key) const {
  if (!get(key).is_object()) fail(key, "an object");
  return JsonObject(get(key), file_, scope_.empty() ? std::string(key) : cat(scope_, ".", key));
}

std::vector<JsonObject> JsonObject::objects(std::string_view key, std::size_t max_count) const {
  const nlohmann::json& list = get(key);
  if (!list.is_array() || list.size() > max_count) {
    fail(key, cat("a list of at most ", max_count, " objects"));
  }
  std::vector<JsonObject> objects;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string scope = cat(scope_, scope_.empty() ? "" : ".", key, "[", i, "]");
    objects.emplace_back(list[i], file_, scope);
  }
  return objects;
}

std::vector<double> JsonObject::numbers(std::string_view key, std::size_t count, double least,
                                        double most) const {
  const nlohmann::json& list = get(key);
  bool good = list.is_array() && list.size() == count;
  for (std::size_t i = 0; good && i < count; ++i) good = is_number_in(list[i], least, most);
  if (!good) fail(key, cat(count, " numbers in [", least, ", ", most, "]"));
  return list.get<std::vector<double>>();
}

std::vector<int> JsonObject::integers(std::string_view key, std::size_t max_count, int least,
                                      int most) const {
  const nlohmann::json& list = get(key);
  bool good = list.is_array() && list.size() <= max_count;
  for (std::size_t i = 0; good && i < list.size(); ++i) good = is_integer_in(list[i], least, most);
  if (!good) fail(key, cat("at most ", max_count, " integers in [", least, ", ", most, "]"));
  return list.get<std::vector<int>>();
}

}  // namespace tokensieve
