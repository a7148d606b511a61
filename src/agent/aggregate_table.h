// The bounded table below the aggregation: keys by hash, entries in the order of last use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "agent/aggregate.h"
#include "aggregate_store.h"
#include "base/core/bytes.h"
#include "base/core/hash.h"
#include "base/core/random.h"
#include "base/core/time.h"

namespace picket::agent {

/// A key from its parts, one after the other; none is copied.
class AggregateKeyBuilder {
 public:
  explicit AggregateKeyBuilder(SipKey secret) : hash_(secret) {}
  AggregateKeyBuilder& text(std::string_view part) {
    hash_.word(part.size());
    hash_.bytes(as_bytes(part));
    return *this;
  }
  AggregateKeyBuilder& number(std::uint64_t part) {
    hash_.word(part);
    return *this;
  }
  /// Of one length each time.
  AggregateKeyBuilder& bytes(std::span<const std::uint8_t> part) {
    hash_.bytes(std::as_bytes(part));
    return *this;
  }
  [[nodiscard]] AggregateKey finish() { return hash_.finish(); }

 private:
  SipHash128 hash_;
};

/// Entries by key, bounded in number (also of each collector) and bytes: who is longest unused is reported, then
/// forgotten. An Entry is made of a record and the pool of its texts, and has pending(), bytes(), count(record),
/// priority(options), report(sink, priority) and release(pool). The options may change between two calls.
template <class Entry>
class AggregateTable {
 public:
  AggregateTable(const AggregateOptions& options, AggregateCounters& counters, AggregateSink& sink)
      : options_(options), counters_(counters), sink_(sink), secret_{random_u64(), random_u64()}, texts_(secret_) {}
  ~AggregateTable() {
    while (SlotLinks* const slot = index_.oldest()) forget(of(slot));
  }
  AggregateTable(const AggregateTable&) = delete;
  AggregateTable& operator=(const AggregateTable&) = delete;

  [[nodiscard]] SipKey secret() const { return secret_; }
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_ + texts_.bytes() + index_.bytes(); }

  Entry* find(const AggregateKey& key, Duration now) {
    SlotLinks* const found = index_.find(key);
    if (found == nullptr) return nullptr;
    found->used = now;
    index_.touch(*found);
    return &of(found).entry;
  }

  /// Adds an entry, and makes room for it.
  Entry& add(const AggregateKey& key, const typename Entry::Record& record, Duration now) {
    auto* const added = new Slot(record, texts_);
    added->key = key;
    added->used = now;
    added->window_start = aligned(now, window(added->entry.priority(options_)));
    added->collector = collector_number(record.origin.collector);
    index_.insert(*added);
    bytes_ += cost(*added);
    Collector& collector = collectors_[added->collector];
    if (++collector.held > entries_max(collector.name)) {
      SlotLinks* slot = index_.oldest();
      while (slot->collector != added->collector) slot = slot->after;
      evict(of(slot));
    }
    while (index_.size() > 1 && (index_.size() > options_.entries_max || bytes() > options_.bytes_max)) {
      evict(of(index_.oldest()));
    }
    return added->entry;
  }

  void count(Entry& entry, const typename Entry::Record& record) {
    bytes_ -= entry.bytes();
    entry.count(record);
    bytes_ += entry.bytes();
    // It has grown; being the newest, it stays.
    while (bytes() > options_.bytes_max && index_.size() > 1) evict(of(index_.oldest()));
  }

  /// Reports what is due; returns when the next may be due. What is added later is due later than this.
  Duration on_time(Duration now) {
    Duration next = now + Duration::hours(1);
    for (const Priority priority : {Priority::low, Priority::medium, Priority::high}) {
      next = std::min(next, aligned(now, window(priority)) + window(priority));
    }
    for (SlotLinks* links = index_.oldest(); links != nullptr;) {
      Slot& slot = of(links);
      links = links->after;
      const Duration length = window(slot.entry.priority(options_));
      if (now - slot.window_start >= length) {
        const bool unused = !slot.entry.pending() && now - slot.used >= length;
        report(slot);
        slot.window_start = aligned(now, length);
        if (unused) {
          forget(slot);
          continue;
        }
      }
      next = std::min(next, slot.window_start + length);
    }
    return next;
  }

  void flush() {
    for (SlotLinks* slot = index_.oldest(); slot != nullptr; slot = slot->after) report(of(slot));
  }

 private:
  struct Slot : SlotLinks {
    Slot(const typename Entry::Record& record, TextPool& texts) : entry(record, texts) {}
    Entry entry;
  };
  struct Collector {
    std::string_view name;
    std::size_t held = 0;
  };

  static Slot& of(SlotLinks* links) { return *static_cast<Slot*>(links); }
  [[nodiscard]] Duration window(Priority priority) const { return options_.window[static_cast<std::size_t>(priority)]; }
  /// Windows that end together make one message; windows that begin with the first repeat tell sooner.
  [[nodiscard]] Duration aligned(Duration now, Duration length) const {
    return options_.first_at_once || length.us <= 0 ? now : Duration{now.us - now.us % length.us};
  }
  [[nodiscard]] std::size_t entries_max(std::string_view collector) const {
    const auto found = options_.entries_by_collector.find(collector);
    return found == options_.entries_by_collector.end() ? options_.entries_max : found->second;
  }
  static std::size_t cost(const Slot& slot) { return sizeof(Slot) + 16 + slot.entry.bytes(); }
  std::uint8_t collector_number(std::string_view name) {
    const auto number = std::ranges::find(collectors_, name, &Collector::name) - collectors_.begin();
    if (static_cast<std::size_t>(number) == collectors_.size()) collectors_.push_back({name});
    return static_cast<std::uint8_t>(number);
  }

  void report(Slot& slot) {
    if (!slot.entry.pending()) return;
    ++counters_.reported;
    const auto flow = std::ranges::find(counters_.flows, collectors_[slot.collector].name, &CollectorFlow::collector);
    if (flow != counters_.flows.end()) ++flow->sent;
    bytes_ -= slot.entry.bytes();
    slot.entry.report(sink_, slot.entry.priority(options_));
    bytes_ += slot.entry.bytes();
  }
  void evict(Slot& slot) {
    ++counters_.evicted;
    report(slot);
    forget(slot);
  }
  void forget(Slot& slot) {
    bytes_ -= cost(slot);
    --collectors_[slot.collector].held;
    index_.erase(slot);
    slot.entry.release(texts_);
    delete &slot;
  }

  const AggregateOptions& options_;
  AggregateCounters& counters_;
  AggregateSink& sink_;
  SipKey secret_;
  TextPool texts_;
  SlotIndex index_;
  std::vector<Collector> collectors_;
  std::size_t bytes_ = 0;
};

}  // namespace picket::agent
