#include "words.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {

void validate(const TextView& view) {
  const Tokens& tokens = view.tokens;
  const std::size_t count = tokens.ids.size();
  check_argument(tokens.spans.size() == count && tokens.words.size() == count,
                 "[text_strip] expected a span and a word for each of ", count, " tokens, got ",
                 tokens.spans.size(), " and ", tokens.words.size());
  const auto prefix = static_cast<std::size_t>(view.trace.num_prefix_tokens);
  check_argument(count == prefix + static_cast<std::size_t>(view.trace.num_tokens),
                 "[text_strip] expected a trace of ", count, " tokens, got one of ", prefix, " + ",
                 view.trace.num_tokens);
  std::size_t end = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (tokens.words[i] < 0) continue;
    const Tokens::Span& span = tokens.spans[i];
    // Bytes of one character may make several tokens (byte-level BPE), so spans may touch.
    check_argument(span.begin <= span.end && span.end <= view.text.size() && span.end >= end,
                   "[text_strip] expected the span of token ", i, " after byte ", end,
                   " of a text of ", view.text.size(), " bytes, got [", span.begin, ", ", span.end,
                   ")");
    end = span.end;
  }
  check_argument(view.trace.exit_layer >= -1 && view.trace.exit_layer < view.depth,
                 "[text_strip] expected an exit after one of ", view.depth, " blocks, got ",
                 view.trace.exit_layer);
}

ShownText shown_text(const TextSample& sample, Tokens tokens) {
  if (!sample.text_pair) return {sample.text, std::move(tokens)};
  const std::string &first = sample.text, &second = *sample.text_pair;
  const std::size_t count = tokens.ids.size();
  check_argument(tokens.spans.size() == count && tokens.words.size() == count,
                 "[shown_text] expected a span and a word for each of ", count, " tokens, got ",
                 tokens.spans.size(), " and ", tokens.words.size());
  const std::size_t start = first.size() + 1;
  std::size_t special = 0;  // One comes before the first text, one more or two before the second.
  int words = 0;            // of the first text
  for (std::size_t i = 0; i < count; ++i) {
    Tokens::Span& span = tokens.spans[i];
    std::int32_t& word = tokens.words[i];
    if (word < 0) {
      ++special;
      continue;
    }
    const bool of_second = special > 1;
    check_argument(span.begin <= span.end && span.end <= (of_second ? second : first).size(),
                   "[shown_text] expected token ", i, " in a text of ",
                   (of_second ? second : first).size(), " bytes, got [", span.begin, ", ", span.end,
                   ")");
    if (of_second) {
      span.begin += static_cast<std::uint32_t>(start);
      span.end += static_cast<std::uint32_t>(start);
      word += words;
    } else {
      words = word + 1;
    }
  }
  return {cat(first, "\n", second), std::move(tokens)};
}

std::vector<WordFate> word_fates(const TextView& view) {
  validate(view);
  const std::vector<int> dropped_at = view.trace.dropped_at();
  const auto prefix = static_cast<std::size_t>(view.trace.num_prefix_tokens);
  std::vector<WordFate> words;
  int last = -1;
  for (std::size_t i = 0; i < view.tokens.ids.size(); ++i) {
    const int word = view.tokens.words[i];
    if (word < 0) continue;
    const int dropped = i < prefix ? -1 : dropped_at[i - prefix];
    const Tokens::Span& span = view.tokens.spans[i];
    if (words.empty() || word != last) {
      words.push_back({span.begin, span.end, dropped});
    } else {
      WordFate& whole = words.back();
      whole.end = span.end;
      if (whole.dropped_at >= 0) {
        whole.dropped_at = dropped < 0 ? -1 : std::max(whole.dropped_at, dropped);
      }
    }
    last = word;
  }
  return words;
}

namespace drawing {

std::string WordStep::text() const {
  const char* unit = words == 1 ? " word" : " words";
  return block < 0 ? cat("stayed: ", words, unit) : cat("block ", block, ": ", words, unit);
}

std::vector<WordStep> word_steps(const TextView& view, const std::vector<WordFate>& words,
                                 Colormap map) {
  std::set<int> blocks;
  for (const SiteTrace& site : view.trace.sites) blocks.insert(site.site.layer);
  std::vector<WordStep> steps;
  for (const int block : blocks) steps.push_back({block, 0, {}, 1.0});
  steps.push_back({});
  const int count = static_cast<int>(steps.size());
  for (int i = 0; i < count; ++i) {
    WordStep& step = steps[static_cast<std::size_t>(i)];
    step.words = std::count_if(words.begin(), words.end(),
                               [&](const WordFate& word) { return word.dropped_at == step.block; });
    step.color = colormap_step(map, i, count);
    // Even the first to leave stay legible.
    if (step.block >= 0) step.ink = 0.3 + 0.4 * i / count;
  }
  return steps;
}

const WordStep& step_of(const std::vector<WordStep>& steps, const WordFate& word) {
  return *std::find_if(steps.begin(), steps.end(),
                       [&](const WordStep& step) { return step.block == word.dropped_at; });
}

std::string exit_text(const TextView& view) {
  if (view.trace.exit_layer < 0) return "";
  return cat("answered after block ", view.trace.exit_layer, " of ", view.depth);
}

namespace {

/// What no token stands for. At the end of a text that is what was cut off, and in a pair the first
/// text ends before a line's end; elsewhere tokenizers leave out what cannot be seen.
void add_gap(std::vector<Stretch>& all, std::string_view gap, bool last) {
  const std::size_t size = gap.find_last_not_of(" \t\r\n") + 1;
  const bool unread = size > 0 && (last || gap.find('\n', size) != gap.npos);
  if (!unread) return all.push_back({gap});
  all.push_back({gap.substr(0, size), nullptr, true});
  if (size < gap.size()) all.push_back({gap.substr(size)});
}

}  // namespace

std::vector<Stretch> stretches(const TextView& view, const std::vector<WordFate>& words) {
  std::vector<Stretch> all;
  std::size_t at = 0;
  for (const WordFate& word : words) {
    if (word.begin > at) add_gap(all, view.text.substr(at, word.begin - at), false);
    // Pieces of one character touch; none is shown twice.
    const std::size_t begin = std::max(word.begin, at);
    all.push_back({view.text.substr(begin, word.end - begin), &word});
    at = word.end;
  }
  if (at < view.text.size()) add_gap(all, view.text.substr(at), true);
  return all;
}

}  // namespace drawing
}  // namespace tokensieve
