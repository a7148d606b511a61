#include "hub/operation_counters.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <mutex>
#include <unordered_map>

namespace picket::hub {
namespace {

constexpr std::size_t kShards = 16;
constexpr std::size_t kSizeClasses = 20;  // a class c holds sizes of c significant bits; messages have at most 256 KiB
constexpr std::array<std::string_view, kProtocols> kProtocolNames = {"mqtt", "amqp", "https", "service"};

/// What is counted together.
struct Key {
  Identity identity;
  bool authenticated = true;
  Operation operation{};
  Protocol protocol{};
  int code = 0;
};

struct KeyView {
  const Identity& identity;
  bool authenticated;
  Operation operation;
  Protocol protocol;
  int code;

  [[nodiscard]] std::size_t hash() const {
    const std::hash<std::string_view> text;
    std::size_t out = text(identity.device_id);
    const auto add = [&out](std::size_t part) { out = (out ^ part) * 0x9e3779b97f4a7c15ULL; };
    add(text(identity.module_id));
    add(text(identity.hub));
    add((static_cast<std::size_t>(operation) << 8U) | (static_cast<std::size_t>(protocol) << 4U) |
        (authenticated ? 1U : 0U));
    add(static_cast<std::size_t>(code));
    return out ^ (out >> 32U);
  }
};

KeyView view_of(const Key& key) { return {key.identity, key.authenticated, key.operation, key.protocol, key.code}; }
KeyView view_of(const KeyView& key) { return key; }

struct KeyHash {
  using is_transparent = void;
  template <class T>
  std::size_t operator()(const T& key) const {
    return view_of(key).hash();
  }
};
struct KeyEqual {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return a.operation == b.operation && a.protocol == b.protocol && a.code == b.code &&
           a.authenticated == b.authenticated && a.identity == b.identity;
  }
};

struct Entry {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::uint64_t size_max = 0;
  std::uint64_t singles = 0;
  std::uint64_t written = 0;  ///< In this window, by early records.
  std::array<std::uint32_t, kSizeClasses> sizes{};

  void add(std::uint64_t more, std::uint64_t more_bytes) {
    count += more;
    bytes += more_bytes;
    if (more_bytes == 0 || more == 0) return;
    const std::uint64_t size = more_bytes / more;
    size_max = std::max(size_max, size);
    const auto bits = static_cast<std::size_t>(std::bit_width(size));
    sizes[std::min(bits, kSizeClasses - 1)] += static_cast<std::uint32_t>(more);
  }
  /// Upper end of the class that the 95th percentile falls into; never above the largest size.
  [[nodiscard]] std::uint64_t size_p95() const {
    std::uint64_t all = 0;
    for (const std::uint32_t n : sizes) all += n;
    std::uint64_t seen = 0;
    for (std::size_t c = 0; c < kSizeClasses && all > 0; ++c) {
      seen += sizes[c];
      if (seen * 100 >= all * 95) return std::min(size_max, (std::uint64_t{1} << c) - 1);
    }
    return size_max;
  }
};

struct Closed {
  Key key;
  Entry entry;
  Timestamp from;
  Timestamp to;
};

Timestamp floor_to(Timestamp time, Duration step) { return {time.us - time.us % step.us}; }

/// Rare operations are written with the next early round.
bool is_frequent(Operation operation) {
  return operation == Operation::d2c_message || operation == Operation::twin_report;
}

bool is_throttled(int code) { return code / 1000 == 429 || code == 403'002; }

}  // namespace

OperationTotal& OperationTotal::operator+=(const OperationTotal& other) {
  ok += other.ok;
  failed += other.failed;
  throttled += other.throttled;
  bytes += other.bytes;
  return *this;
}

OperationTotal OperationCounters::Stats::by_all(Operation operation) const {
  OperationTotal out;
  for (const auto& total : totals[static_cast<std::size_t>(operation)]) out += total;
  return out;
}

OperationTotal OperationCounters::Stats::by_devices(Operation operation) const {
  OperationTotal out;
  for (const auto protocol : {Protocol::mqtt, Protocol::amqp, Protocol::https}) out += of(operation, protocol);
  return out;
}

std::string_view to_string(Protocol protocol) { return kProtocolNames[static_cast<std::size_t>(protocol)]; }

struct OperationCounters::Parts {
  struct Shard {
    std::mutex mutex;
    std::unordered_map<Key, Entry, KeyHash, KeyEqual> entries;
    std::uint64_t dropped = 0;
    std::array<std::array<OperationTotal, kProtocols>, kOperations> totals{};
    OperationTotal& total(Operation operation, Protocol protocol) {
      return totals[static_cast<std::size_t>(operation)][static_cast<std::size_t>(protocol)];
    }
  };
  /// Under the shard's lock. nullptr: too many keys; counted.
  static Entry* find(Shard& shard, const KeyView& key) {
    if (const auto found = shard.entries.find(key); found != shard.entries.end()) return &found->second;
    if (shard.entries.size() >= kKeysMax / kShards) {
      ++shard.dropped;
      return nullptr;
    }
    return &shard.entries.emplace(Key{key.identity, key.authenticated, key.operation, key.protocol, key.code}, Entry{})
                .first->second;
  }
  Shard& shard_of(const KeyView& key) { return shards[(key.hash() >> 7U) % kShards]; }

  explicit Parts(OperationsLog& operations_log) : log(operations_log) {}
  OperationsLog& log;
  std::array<Shard, kShards> shards;
  // The thread that ticks only.
  std::deque<Closed> closed;
  std::optional<Timestamp> window;  ///< Where the open one begins.
  Timestamp early;                  ///< Next early round.
  std::atomic<std::uint64_t> records = 0;
  std::atomic<std::uint64_t> closed_dropped = 0;
};

OperationCounters::OperationCounters(OperationsLog& log) : parts_(std::make_unique<Parts>(log)) {}
OperationCounters::~OperationCounters() = default;

void OperationCounters::count(const Identity& identity, Operation operation, Protocol protocol, std::uint64_t bytes,
                              std::uint64_t count) {
  const KeyView key{identity, true, operation, protocol, 0};
  auto& shard = parts_->shard_of(key);
  const std::lock_guard lock(shard.mutex);
  auto& total = shard.total(operation, protocol);
  total.ok += count;
  total.bytes += bytes;
  if (Entry* entry = Parts::find(shard, key)) entry->add(count, bytes);
}

void OperationCounters::fail(const FailedOperation& failed, Timestamp now) {
  const KeyView key{failed.identity, failed.authenticated, failed.operation, failed.protocol, failed.code};
  {
    auto& shard = parts_->shard_of(key);
    const std::lock_guard lock(shard.mutex);
    auto& total = shard.total(failed.operation, failed.protocol);
    ++total.failed;
    total.throttled += is_throttled(failed.code) ? 1 : 0;
    Entry* entry = Parts::find(shard, key);
    if (entry == nullptr) return;
    entry->add(1, 0);
    if (entry->singles >= kSinglesMax) return;
    ++entry->singles;
  }
  HubEvent event{.time = now, .kind = kind_of(failed.operation), .identity = failed.identity};
  event.authenticated = failed.authenticated;
  event.source_address = failed.source_address;
  event.protocol = to_string(failed.protocol);
  event.actor = failed.actor;
  event.code = failed.code;
  event.reason = failed.reason;
  event.object = failed.object.substr(0, HubEvent::kObjectBytesMax);
  event.operation = failed.operation;
  parts_->log.record(event);
}

/// Takes entries out of the shards: all of them, or those that are worth an early record.
void OperationCounters::close(Timestamp until, bool all) {
  const Timestamp from = parts_->window.value_or(until);
  for (auto& shard : parts_->shards) {
    const std::lock_guard lock(shard.mutex);
    for (auto& [key, entry] : shard.entries) {
      const auto enough = is_frequent(key.operation) ? std::max(kEarlyCount, entry.written) : 1;
      if (entry.count == 0 || (!all && entry.count < enough)) continue;
      if (parts_->closed.size() >= kKeysMax) {
        parts_->closed_dropped += entry.count;
      } else {
        parts_->closed.push_back({key, entry, from, until});
      }
      const auto written = entry.written + entry.count;
      const auto singles = entry.singles;
      entry = Entry{};
      entry.written = written;
      entry.singles = singles;
    }
    if (all) shard.entries.clear();
  }
}

void OperationCounters::write(std::size_t count_max, Timestamp now) {
  for (std::size_t i = 0; i < count_max && !parts_->closed.empty(); ++i) {
    const Closed closed = std::move(parts_->closed.front());
    parts_->closed.pop_front();
    HubEvent event{.time = now, .kind = kind_of(closed.key.operation), .identity = closed.key.identity};
    event.authenticated = closed.key.authenticated;
    event.protocol = to_string(closed.key.protocol);
    event.code = closed.key.code;
    event.operation = closed.key.operation;
    event.window_from = closed.from;
    event.window_to = closed.to;
    event.count = closed.entry.count;
    event.bytes = closed.entry.bytes;
    event.size_max = closed.entry.size_max;
    event.size_p95 = closed.entry.size_p95();
    parts_->log.record(event);
    ++parts_->records;
  }
}

void OperationCounters::tick(Timestamp now) {
  const Timestamp window = floor_to(now, kWindow);
  if (!parts_->window) {
    parts_->window = window;
    parts_->early = now + kEarly;
  }
  if (window > *parts_->window) {
    close(*parts_->window + kWindow, true);
    parts_->window = window;
    parts_->early = now + kEarly;
  } else if (window < *parts_->window) {
    parts_->window = window;  // the clock was set back: what is open is counted there
    parts_->early = now + kEarly;
  } else if (now >= parts_->early) {
    close(now, false);
    parts_->early = now + kEarly;
  }
  write(kRecordsPerTick, now);
}

void OperationCounters::flush(Timestamp now) {
  if (!parts_->window || floor_to(now, kWindow) < *parts_->window) parts_->window = floor_to(now, kWindow);
  // What belongs to a window that is over ends with it.
  close(std::min(now, *parts_->window + kWindow), true);
  parts_->window = floor_to(now, kWindow);
  write(parts_->closed.size(), now);
}

OperationCounters::Stats OperationCounters::stats() const {
  Stats out;
  for (auto& shard : parts_->shards) {
    const std::lock_guard lock(shard.mutex);
    out.keys += shard.entries.size();
    out.dropped += shard.dropped;
    for (std::size_t i = 0; i < kOperations; ++i) {
      for (std::size_t p = 0; p < kProtocols; ++p) out.totals[i][p] += shard.totals[i][p];
    }
  }
  out.dropped += parts_->closed_dropped;
  out.records = parts_->records;
  return out;
}

}  // namespace picket::hub
