#include "json_util.h"

#include <iterator>
#include <set>
#include <vector>

#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/file.h"

namespace tokensieve {
namespace {

/// Walks a text and leaves its position where a parser callback can see it.
struct TrackedIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** position;

  reference operator*() const { return *at; }
  TrackedIterator& operator++() {
    *position = ++at;
    return *this;
  }
  TrackedIterator operator++(int) {
    const TrackedIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackedIterator& other) const { return at == other.at; }
};

}  // namespace

void fail_json_syntax(std::string_view what, const nlohmann::json::exception& error) {
  // "[json.exception.parse_error.101] parse error at line 1, column 2: ...": the tag is noise.
  std::string_view message = error.what();
  if (const auto tag = message.find("] "); tag != message.npos) message.remove_prefix(tag + 2);
  fail_runtime("[json] ", what, ": ", printable(message, 200));
}

void check_no_zero_byte(std::string_view text, std::string_view what) {
  const auto zero = text.find('\0');
  check_runtime(zero == text.npos, "[json] ", what, ": expected text, got a zero byte at byte ",
                zero);
}

nlohmann::json parse_json(std::string_view text, std::string_view what) {
  check_runtime(text.size() <= kMaxJsonBytes, "[json] ", what, ": expected at most ", kMaxJsonBytes,
                " bytes, got ", text.size());
  check_no_zero_byte(text, what);

  const char* const begin = text.data();
  const char* position = begin;
  std::vector<std::set<std::string>> keys_of_open_objects;
  using Event = nlohmann::json::parse_event_t;
  const auto watch = [&](int depth, Event event, const nlohmann::json& value) {
    if (event == Event::object_start || event == Event::array_start) {
      check_runtime(depth < kMaxJsonDepth, "[json] ", what, ": expected at most ", kMaxJsonDepth,
                    " levels of nesting, got more at byte ", position - begin);
    }
    if (event == Event::object_start) {
      keys_of_open_objects.emplace_back();
    } else if (event == Event::object_end) {
      keys_of_open_objects.pop_back();
    } else if (event == Event::key) {
      const auto& key = value.get_ref<const std::string&>();
      check_runtime(keys_of_open_objects.back().insert(key).second, "[json] ", what, ": key '",
                    printable(key), "' comes twice, again at byte ", position - begin);
    }
    return true;
  };
  try {
    return nlohmann::json::parse(TrackedIterator{begin, &position},
                                 TrackedIterator{begin + text.size(), &position}, watch);
  } catch (const nlohmann::json::exception& error) {
    fail_json_syntax(what, error);
  }
}

nlohmann::json read_json(const std::filesystem::path& path) {
  return parse_json(read_text_file(path, kMaxJsonBytes), path.string());
}

}  // namespace tokensieve
