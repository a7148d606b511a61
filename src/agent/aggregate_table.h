// The bounded table below the aggregation: keys by hash, entries in the order of last use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/aggregate.h"
#include "base/core/bytes.h"
#include "base/core/hash.h"
#include "base/core/random.h"
#include "base/core/time.h"

namespace picket::agent {

/// Collects the parts of a key. Two keyed 64-bit hashes stand for the parts: an attacker who chooses command lines
/// cannot aim at a collision, and no second copy of a long text is kept.
struct AggregateKey {
  std::uint64_t a = 0, b = 0;
  friend bool operator==(const AggregateKey&, const AggregateKey&) = default;
};
struct AggregateKeyHash {
  std::size_t operator()(const AggregateKey& key) const { return static_cast<std::size_t>(key.a); }
};

class AggregateKeyBuilder {
 public:
  AggregateKeyBuilder& text(std::string_view part) {
    number(part.size());
    append(bytes_, as_bytes(part));
    return *this;
  }
  AggregateKeyBuilder& number(std::uint64_t part) {
    append(bytes_, std::as_bytes(std::span(&part, 1)));
    return *this;
  }
  AggregateKeyBuilder& bytes(std::span<const std::uint8_t> part) {
    append(bytes_, std::as_bytes(part));
    return *this;
  }
  [[nodiscard]] AggregateKey finish(SipKey secret) const {
    return {siphash24(secret, bytes_), siphash24({~secret.k1, secret.k0}, bytes_)};
  }

 private:
  Buffer bytes_;
};

/// Entries by key, bounded in number (also of each collector) and bytes: who is longest unused is reported, then
/// forgotten. An Entry has pending(), bytes(), collector(), priority(options) and report(sink, priority). The options
/// may change between two calls.
template <class Entry>
class AggregateTable {
 public:
  AggregateTable(const AggregateOptions& options, AggregateCounters& counters, AggregateSink& sink)
      : options_(options), counters_(counters), sink_(sink), secret_{random_u64(), random_u64()} {}

  [[nodiscard]] SipKey secret() const { return secret_; }
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  Entry* find(const AggregateKey& key, Duration now) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    found->second->used = now;
    slots_.splice(slots_.end(), slots_, found->second);
    return &found->second->entry;
  }

  /// Adds an entry, and makes room for it.
  Entry& add(const AggregateKey& key, const typename Entry::Record& record, Duration now) {
    slots_.push_back({Entry(record), key, {}, now});
    Slot& added = slots_.back();
    added.window_start = window_start(added, now);
    index_.emplace(key, std::prev(slots_.end()));
    bytes_ += cost(added);
    const std::string_view collector = added.entry.collector();
    if (++held(collector) > entries_max(collector)) {
      evict(std::ranges::find(slots_, collector, [](const Slot& slot) { return slot.entry.collector(); }));
    }
    while (slots_.size() > 1 && (slots_.size() > options_.entries_max || bytes_ > options_.bytes_max)) {
      evict(slots_.begin());
    }
    return slots_.back().entry;
  }

  template <class Change>
  void change(Entry& entry, Change&& change) {
    bytes_ -= entry.bytes();
    change(entry);
    bytes_ += entry.bytes();
  }

  /// Reports what is due; returns when the next may be due. What is added later is due later than this.
  Duration on_time(Duration now) {
    Duration next = now + Duration::hours(1);
    for (const Priority priority : {Priority::low, Priority::medium, Priority::high}) {
      next = std::min(next, aligned(now, window(priority)) + window(priority));
    }
    for (auto slot = slots_.begin(); slot != slots_.end();) {
      const auto here = slot++;
      const Duration length = window(here->entry.priority(options_));
      if (now - here->window_start >= length) {
        const bool unused = !here->entry.pending() && now - here->used >= length;
        report(*here);
        here->window_start = window_start(*here, now);
        if (unused) {
          forget(here);
          continue;
        }
      }
      next = std::min(next, here->window_start + length);
    }
    return next;
  }

  void flush() {
    for (Slot& slot : slots_) report(slot);
  }

 private:
  struct Slot {
    Entry entry;
    AggregateKey key;
    Duration window_start;
    Duration used;
  };
  using Slots = std::list<Slot>;

  [[nodiscard]] Duration window(Priority priority) const { return options_.window[static_cast<std::size_t>(priority)]; }
  /// Windows that end together make one message; windows that begin with the first repeat tell sooner.
  [[nodiscard]] Duration aligned(Duration now, Duration length) const {
    return options_.first_at_once || length.us <= 0 ? now : Duration{now.us - now.us % length.us};
  }
  [[nodiscard]] Duration window_start(const Slot& slot, Duration now) const {
    return aligned(now, window(slot.entry.priority(options_)));
  }
  [[nodiscard]] std::size_t entries_max(std::string_view collector) const {
    const auto found = options_.entries_by_collector.find(collector);
    return found == options_.entries_by_collector.end() ? options_.entries_max : found->second;
  }
  static std::size_t cost(const Slot& slot) { return sizeof(Slot) + 64 + slot.entry.bytes(); }
  std::size_t& held(std::string_view collector) {
    const auto found = std::ranges::find(held_, collector, &std::pair<std::string_view, std::size_t>::first);
    return found != held_.end() ? found->second : held_.emplace_back(collector, 0).second;
  }

  void report(Slot& slot) {
    if (!slot.entry.pending()) return;
    ++counters_.reported;
    const auto flow = std::ranges::find(counters_.flows, slot.entry.collector(), &CollectorFlow::collector);
    if (flow != counters_.flows.end()) ++flow->sent;
    change(slot.entry, [this](Entry& entry) { entry.report(sink_, entry.priority(options_)); });
  }
  void evict(typename Slots::iterator slot) {
    ++counters_.evicted;
    report(*slot);
    forget(slot);
  }
  void forget(typename Slots::iterator slot) {
    bytes_ -= cost(*slot);
    --held(slot->entry.collector());
    index_.erase(slot->key);
    slots_.erase(slot);
  }

  const AggregateOptions& options_;
  AggregateCounters& counters_;
  AggregateSink& sink_;
  SipKey secret_;
  Slots slots_;  ///< Longest unused first.
  std::unordered_map<AggregateKey, typename Slots::iterator, AggregateKeyHash> index_;
  std::vector<std::pair<std::string_view, std::size_t>> held_;  ///< Entries of each collector.
  std::size_t bytes_ = 0;
};

}  // namespace picket::agent
