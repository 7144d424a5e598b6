#include "tokensieve/core/site.h"

#include <algorithm>

#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"

namespace tokensieve {

const std::vector<std::string>& site_position_words() {
  static const std::vector<std::string> words = {"before", "inside_attention", "after_attention",
                                                 "after_block"};
  return words;
}

std::string_view to_string(SitePosition position) {
  return site_position_words()[static_cast<size_t>(position)];
}

SitePosition parse_site_position(std::string_view word) {
  const std::vector<std::string>& words = site_position_words();
  const auto found = std::find(words.begin(), words.end(), word);
  check_argument(found != words.end(),
                 "[site] expected before, inside_attention, after_attention or after_block, got '",
                 word, "'", did_you_mean(word, words));
  return static_cast<SitePosition>(found - words.begin());
}

std::string to_string(const Site& site) { return cat(to_string(site.position), ":", site.layer); }

std::string to_string(std::span<const Site> sites) {
  std::string text;
  for (const Site& site : sites) text += (text.empty() ? "" : " ") + to_string(site);
  return text;
}

}  // namespace tokensieve
