#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace tokensieve {

/// Primitives by what they are made for. Bounded: the least recently used ones go. Thread-safe.
/// `Hash` hashes a `Key`, which has ==.
template <typename Key, typename Primitive, typename Hash>
class PrimitiveCache {
 public:
  explicit PrimitiveCache(size_t capacity) : capacity_(capacity) {}

  /// The primitive of `key`, made by `make()` if it is not there. Making one takes 0.1-0.2 ms and
  /// is done under the lock: two callers never make one twice, and a warm cache only moves a list
  /// node.
  template <typename Make>
  std::shared_ptr<const Primitive> get(const Key& key, Make make) {
    const std::lock_guard lock(mutex_);
    if (const auto found = index_.find(key); found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->second;
    }
    auto primitive = std::make_shared<const Primitive>(make());
    entries_.emplace_front(key, primitive);
    index_[key] = entries_.begin();
    if (entries_.size() > capacity_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return primitive;
  }

  size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  using Entry = std::pair<Key, std::shared_ptr<const Primitive>>;

  const size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> index_;
};

/// FNV-1a over integers.
template <typename... Parts>
size_t hash_of(Parts... parts) {
  size_t hash = 1469598103934665603ull;
  ((hash = (hash ^ static_cast<size_t>(parts)) * 1099511628211ull), ...);
  return hash;
}

}  // namespace tokensieve
