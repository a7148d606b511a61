#include "agent/aggregate.h"

#include <algorithm>

#include "aggregate_table.h"

namespace picket::agent {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;

/// Keeps copies of texts in one block and points the record's views at them. Moving it leaves them valid.
class OwnedTexts {
 public:
  template <class... Views>
  void own(Views&... views) {
    bytes_ = (views.size() + ... + 0);
    block_ = std::make_unique<char[]>(bytes_);  // not a string: a short one moves its characters
    char* at = block_.get();
    const auto copy = [&at](std::string_view& view) {
      char* const begin = at;
      at = std::ranges::copy(view, at).out;
      view = std::string_view(begin, view.size());
    };
    (copy(views), ...);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::unique_ptr<char[]> block_;
  std::size_t bytes_ = 0;
};

void add_stdio(AggregateKeyBuilder& key, const StdioFact& fact) {
  const bool socket = fact.kind == StdioFact::Kind::socket;
  key.number(socket ? 1U + fact.family : 0U);
  // Without the inode and the peer's port: they differ each time the same thing is done again.
  if (socket) key.bytes(fact.remote.address.bytes);
}

std::size_t hour_of(Timestamp time) {
  const std::int64_t hour = time.us / kHourUs % 24;
  return static_cast<std::size_t>(hour < 0 ? 0 : hour);
}

}  // namespace

struct Aggregator::ProcessEntry {
  using Record = ProcessRecord;
  ProcessRecord record;
  OwnedTexts texts;
  Hits hits{.count = 0};

  explicit ProcessEntry(const ProcessRecord& first) : record(first) {
    texts.own(record.executable, record.parent_executable, record.grandparent_executable, record.cwd, record.container,
              record.terminal, record.argv);
  }
  [[nodiscard]] bool pending() const { return hits.count > 0; }
  [[nodiscard]] std::size_t bytes() const { return texts.bytes(); }
  /// The numbers of the newest happening; texts that are not in the key stay those of the first.
  void count(const ProcessRecord& again) {
    record.pid = again.pid;
    record.ppid = again.ppid;
    record.start = again.start;
    record.time = again.time;
    record.stdio = again.stdio;
    record.exit_status = again.exit_status;
    if (hits.count++ == 0) hits.first = again.time.wall;
    hits.last = again.time.wall;
  }
  [[nodiscard]] std::string_view collector() const { return record.origin.collector; }
  [[nodiscard]] Priority priority(const AggregateOptions& options) const { return options.process_priority; }
  void report(AggregateSink& sink, Priority priority) {
    record.time.wall = hits.first;
    sink.process(record, hits, priority);
    hits = {.count = 0};
  }
};

struct Aggregator::ConnectionEntry {
  using Record = ConnectionRecord;
  ConnectionRecord record;
  OwnedTexts texts;
  ConnectionHits hits{.hits = {.count = 0}};
  Duration last_hit;
  bool known = true;  ///< last_hit is of a happening before; false for the first one when it is counted.

  explicit ConnectionEntry(const ConnectionRecord& first) : record(first), last_hit(first.time.monotonic) {
    texts.own(record.executable, record.argv, record.interface);
  }
  [[nodiscard]] bool pending() const { return hits.hits.count > 0 || hits.bytes_in.count() > 0; }
  [[nodiscard]] std::size_t bytes() const {
    return texts.bytes() + hits.bytes_in.memory_bytes() + hits.bytes_out.memory_bytes() + hits.gaps.memory_bytes();
  }
  void count(const ConnectionRecord& again) {
    Hits& counted = hits.hits;
    if (!pending()) counted.first = again.time.wall;
    counted.last = again.time.wall;
    if (again.kind == ConnectionRecord::Kind::closed) {
      hits.lasted_max = std::max(hits.lasted_max, again.lasted);
      if (!again.bytes_known) return;
      hits.bytes_in.add(again.bytes_in);
      hits.bytes_out.add(again.bytes_out);
      return;
    }
    ++counted.count;
    if (again.kind == ConnectionRecord::Kind::failed) ++hits.failed;
    ++hits.hourly[hour_of(again.time.wall)];
    if (known) hits.gaps.add(again.time.monotonic - last_hit);
    known = true;
    last_hit = again.time.monotonic;
    record.pid = again.pid;
    record.cookie = again.cookie;
    // What differs between alike connections is no property of their sum.
    if (record.local.port != again.local.port) record.local.port = 0;
    if (record.remote.port != again.remote.port) record.remote.port = 0;
    if (record.interface != again.interface) record.interface = {};
  }
  [[nodiscard]] std::string_view collector() const { return record.origin.collector; }
  [[nodiscard]] Priority priority(const AggregateOptions& options) const { return options.connection_priority; }
  void report(AggregateSink& sink, Priority priority) {
    record.time.wall = hits.hits.first;
    sink.connection(record, hits, priority);
    hits = {.hits = {.count = 0}};
  }
};

struct Aggregator::EventEntry {
  using Record = EventRecord;
  EventRecord record;
  OwnedTexts texts;
  Hits hits{.count = 0};
  EventSums sums;

  explicit EventEntry(const EventRecord& first) : record(first) {
    record.identity = {};  // its hash is the key
    texts.own(record.items);
  }
  [[nodiscard]] bool pending() const { return hits.count > 0; }
  [[nodiscard]] std::size_t bytes() const { return texts.bytes(); }
  [[nodiscard]] std::string_view collector() const { return record.origin.collector; }
  [[nodiscard]] Priority priority(const AggregateOptions& /*options*/) const { return record.priority; }
  void count(const EventRecord& again) {
    record.priority = again.priority;
    if (hits.count++ == 0) hits.first = again.time.wall;
    hits.last = again.time.wall;
    sums.failed += again.failed ? 1 : 0;
    sums.bytes_in += again.bytes_in;
    sums.bytes_out += again.bytes_out;
  }
  void report(AggregateSink& sink, Priority priority) {
    record.time.wall = hits.first;
    sink.event(record, hits, sums, priority);
    hits = {.count = 0};
    sums = {};
  }
};

Aggregator::Aggregator(AggregateOptions options, AggregateSink& sink) : options_(std::move(options)), sink_(sink) {
  processes_ = std::make_unique<AggregateTable<ProcessEntry>>(options_, counters_, sink);
  connections_ = std::make_unique<AggregateTable<ConnectionEntry>>(options_, counters_, sink);
  events_ = std::make_unique<AggregateTable<EventEntry>>(options_, counters_, sink);
}
Aggregator::~Aggregator() = default;

bool Aggregator::first_waits(Priority priority) const { return !options_.first_at_once && priority < Priority::high; }

CollectorFlow& Aggregator::flow(std::string_view collector) {
  const auto found = std::ranges::find(counters_.flows, collector, &CollectorFlow::collector);
  return found != counters_.flows.end() ? *found : counters_.flows.emplace_back(collector);
}

void Aggregator::emit(const ProcessRecord& record) {
  ++counters_.taken;
  ++flow(record.origin.collector).taken;
  AggregateKeyBuilder parts;
  parts.number(static_cast<std::uint64_t>(record.kind)).text(record.argv).text(record.executable).number(record.euid);
  parts.number(record.argv_hash).text(record.container);
  if (record.kind == ProcessRecord::Kind::exit) parts.number(static_cast<std::uint32_t>(record.exit_status));
  for (const StdioFact& fact : record.stdio) add_stdio(parts, fact);
  const AggregateKey key = parts.finish(processes_->secret());
  ProcessEntry* entry = processes_->find(key, record.time.monotonic);
  if (entry == nullptr) {
    entry = &processes_->add(key, record, record.time.monotonic);
    if (!first_waits(options_.process_priority)) {
      pass(record.origin.collector);
      sink_.process(record, {.count = 1, .first = record.time.wall, .last = record.time.wall}, Priority::urgent);
      return;
    }
  }
  ++counters_.aggregated;
  processes_->change(*entry, [&](ProcessEntry& each) { each.count(record); });
}

void Aggregator::emit(const ConnectionRecord& record) {
  ++counters_.taken;
  ++flow(record.origin.collector).taken;
  using Direction = ConnectionRecord::Direction;
  AggregateKeyBuilder parts;
  parts.number(static_cast<std::uint64_t>(record.direction)).number(record.protocol);
  parts.bytes(record.local.address.bytes).bytes(record.remote.address.bytes);
  parts.number(record.direction == Direction::out ? 0U : record.local.port);
  parts.number(record.direction == Direction::in ? 0U : record.remote.port);
  parts.text(record.executable).text(record.argv).number(record.uid_known ? record.uid : ~std::uint64_t{0});
  const AggregateKey key = parts.finish(connections_->secret());
  ConnectionEntry* entry = connections_->find(key, record.time.monotonic);
  const bool closed = record.kind == ConnectionRecord::Kind::closed;
  if (entry == nullptr) {
    entry = &connections_->add(key, record, record.time.monotonic);
    if (!closed && !first_waits(options_.connection_priority)) {  // an end is no first occurrence: it waits anyway
      pass(record.origin.collector);
      ConnectionHits first;
      first.hits = {.count = 1, .first = record.time.wall, .last = record.time.wall};
      first.failed = record.kind == ConnectionRecord::Kind::failed ? 1 : 0;
      sink_.connection(record, first, Priority::urgent);
      return;
    }
    entry->known = closed;
  }
  ++counters_.aggregated;
  connections_->change(*entry, [&](ConnectionEntry& each) { each.count(record); });
}

void Aggregator::emit(const EventRecord& record) {
  ++flow(record.origin.collector).taken;
  if (record.identity.empty()) {
    ++flow(record.origin.collector).sent;
    return sink_.event(record, {.count = 0}, {}, record.priority);
  }
  ++counters_.taken;
  AggregateKeyBuilder parts;
  const AggregateKey key = parts.text(record.event.name).text(record.identity).finish(events_->secret());
  EventEntry* entry = events_->find(key, record.time.monotonic);
  if (entry == nullptr) {
    entry = &events_->add(key, record, record.time.monotonic);
    if (!first_waits(record.priority)) {
      pass(record.origin.collector);
      sink_.event(record, {.count = 1, .first = record.time.wall, .last = record.time.wall},
                  {.failed = record.failed ? 1U : 0U, .bytes_in = record.bytes_in, .bytes_out = record.bytes_out},
                  Priority::urgent);
      return;
    }
  }
  ++counters_.aggregated;
  events_->change(*entry, [&](EventEntry& each) { each.count(record); });
}

void Aggregator::pass(std::string_view collector) {
  ++counters_.passed;
  ++flow(collector).sent;
}

Duration Aggregator::on_time(Duration now) {
  return std::min({processes_->on_time(now), connections_->on_time(now), events_->on_time(now)});
}

void Aggregator::flush() {
  processes_->flush();
  connections_->flush();
  events_->flush();
}

void Aggregator::change_options(AggregateOptions options) {
  flush();
  options_ = std::move(options);
}

std::size_t Aggregator::entries() const { return processes_->size() + connections_->size() + events_->size(); }
std::size_t Aggregator::memory_bytes() const { return processes_->bytes() + connections_->bytes() + events_->bytes(); }

}  // namespace picket::agent
