#include "json_reader.h"

#include <set>

namespace tokensieve::cli {

constexpr int kMaxLevels = 64;

nlohmann::json parse_json(const std::string& text, const std::string& file) {
  std::vector<std::set<std::string>> keys(1);
  const auto check = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    check_runtime(depth <= kMaxLevels, "[config] ", file, " is nested more than ", kMaxLevels,
                  " levels deep");
    keys.resize(static_cast<size_t>(depth) + 2);
    if (event == nlohmann::json::parse_event_t::object_start) keys.back().clear();
    if (event == nlohmann::json::parse_event_t::key) {
      const auto key = value.get<std::string>();
      check_runtime(keys[static_cast<size_t>(depth)].insert(key).second, "[config] ", file,
                    " has the key '", key, "' twice");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, check);
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ...": the tag is noise.
    const std::string message = error.what();
    fail_runtime("[config] ", file, " is not JSON: ",
                 printable(message.substr(std::min(message.find(' ') + 1, message.size())), 200));
  }
}

}  // namespace tokensieve::cli
