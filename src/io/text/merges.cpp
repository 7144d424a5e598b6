#include "text/merges.h"

#include <queue>
#include <tuple>

#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

std::uint64_t key_of(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

Merges::Merges(const std::vector<std::pair<std::string, std::string>>& merges,
               const Vocabulary& vocabulary, std::string_view file) {
  check_runtime(merges.size() <= kMaxTokens, "[tokenizer] ", file, ": expected at most ",
                kMaxTokens, " merges, got ", merges.size());
  merges_.reserve(merges.size());
  for (std::uint32_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const std::string whole = left + right;
    for (const std::string& token : {left, right, whole}) {
      check_runtime(vocabulary.find(token) >= 0, "[tokenizer] ", file, ": expected merge ", rank,
                    " to be of tokens in the vocabulary, got '", printable(token),
                    "', which is not; are the two files of one model?");
    }
    merges_[key_of(vocabulary.find(left), vocabulary.find(right))] = {rank, vocabulary.find(whole)};
  }
}

const Merges::Merge* Merges::find(std::int32_t left, std::int32_t right) const {
  const auto found = merges_.find(key_of(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void Merges::apply(std::vector<Symbol>& symbols) const {
  // A merge that is due at `at` and `next`; stale once one of them is part of another.
  struct Due {
    std::uint32_t rank, at, next;
    std::int32_t left, right, id;
    bool operator>(const Due& other) const {
      return std::tie(rank, at) > std::tie(other.rank, other.at);
    }
  };
  std::priority_queue<Due, std::vector<Due>, std::greater<>> queue;
  const auto count = static_cast<std::uint32_t>(symbols.size());
  std::vector<std::uint32_t> before(count), behind(count);  // the neighbours; `count` is none
  const auto look = [&](std::uint32_t at, std::uint32_t next) {
    if (at == count || next == count) return;
    const std::int32_t left = symbols[at].id, right = symbols[next].id;
    if (const Merge* merge = find(left, right)) {
      queue.push({merge->rank, at, next, left, right, merge->id});
    }
  };
  for (std::uint32_t k = 0; k < count; ++k) {
    before[k] = k == 0 ? count : k - 1;
    behind[k] = k + 1;
    look(k, k + 1);
  }
  while (!queue.empty()) {
    const Due due = queue.top();
    queue.pop();
    Symbol &left = symbols[due.at], &right = symbols[due.next];
    if (left.id != due.left || right.id != due.right || left.length == 0 || right.length == 0 ||
        behind[due.at] != due.next) {
      continue;
    }
    left = {due.id, left.length + right.length};
    right.length = 0;
    behind[due.at] = behind[due.next];
    if (behind[due.at] != count) before[behind[due.at]] = due.at;
    look(before[due.at], due.at);
    look(due.at, behind[due.at]);
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
}

}  // namespace tokensieve
