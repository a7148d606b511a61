#include "agent/aggregate.h"

#include <algorithm>

#include "aggregate_table.h"

namespace picket::agent {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;

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

// The texts of a record, for the pool. A text that is missing here would be lost after emit().
template <class Do>
void each_text(ProcessRecord& record, Do&& act) {
  for (std::string_view* text : {&record.executable, &record.parent_executable, &record.grandparent_executable,
                                 &record.cwd, &record.container, &record.terminal, &record.argv}) {
    act(*text);
  }
}
template <class Do>
void each_text(ConnectionRecord& record, Do&& act) {
  for (std::string_view* text : {&record.executable, &record.argv, &record.interface}) act(*text);
}
template <class Do>
void each_text(EventRecord& record, Do&& act) {
  record.identity = {};  // its hash is the key
  act(record.items);
}

/// A record in the table.
template <class Record>
class Kept {
 public:
  Kept(Record record, TextPool& texts) : packed_(with_texts(record, texts)) {}
  [[nodiscard]] Record record() const { return packed_.unpack(); }
  [[nodiscard]] std::size_t bytes() const { return packed_.bytes() + 16; }
  void release(TextPool& texts) {
    Record whole = packed_.unpack();
    each_text(whole, [&](std::string_view& text) { texts.drop(text); });
  }

 private:
  static const Record& with_texts(Record& record, TextPool& texts) {
    each_text(record, [&](std::string_view& text) { text = texts.keep(text); });
    return record;
  }
  Packed<Record> packed_;
};

/// Counts happenings that lie between `first` and `last`; they need not come in order.
void add_hits(Hits& hits, std::uint64_t count, Timestamp first, Timestamp last) {
  hits.first = hits.count == 0 ? first : std::min(hits.first, first);
  hits.last = hits.count == 0 ? last : std::max(hits.last, last);
  hits.count += count;
}

}  // namespace

struct Aggregator::ProcessEntry {
  using Record = ProcessRecord;
  Kept<ProcessRecord> kept;
  Hits hits{.count = 0};
  // Of the newest happening; what else is not in the key stays as it was the first time.
  Duration start, last;
  std::uint32_t pid = 0, ppid = 0;
  std::int32_t exit_status = 0;

  ProcessEntry(const ProcessRecord& first, TextPool& texts) : kept(first, texts) {}
  void release(TextPool& texts) { kept.release(texts); }
  [[nodiscard]] bool pending() const { return hits.count > 0; }
  [[nodiscard]] std::size_t bytes() const { return kept.bytes(); }
  void count(const ProcessRecord& again) {
    pid = again.pid;
    ppid = again.ppid;
    start = again.start;
    exit_status = again.exit_status;
    last = again.time.monotonic + again.spread;
    add_hits(hits, again.count, again.time.wall, again.time.wall + again.spread);
  }
  [[nodiscard]] Priority priority(const AggregateOptions& options) const { return options.process_priority; }
  void report(AggregateSink& sink, Priority priority) {
    ProcessRecord record = kept.record();
    record.pid = pid;
    record.ppid = ppid;
    record.start = start;
    record.exit_status = exit_status;
    record.time = {hits.first, last - (hits.last - hits.first)};  // one moment, so that the start is the newest's
    sink.process(record, hits, priority);
    hits = {.count = 0};
  }
};

struct Aggregator::ConnectionEntry {
  using Record = ConnectionRecord;
  Kept<ConnectionRecord> kept;
  std::unique_ptr<ConnectionHits> hits;  ///< Only while there are some.
  Duration last_hit;
  std::uint32_t pid = 0;  ///< Of the newest.
  bool known = true;      ///< last_hit is of a happening before; false for the first one when it is counted.
  bool same_local_port = true, same_remote_port = true, same_interface = true;
  std::uint16_t local_port, remote_port;
  std::string_view interface;  ///< In the pool.

  ConnectionEntry(const ConnectionRecord& first, TextPool& texts)
      : kept(first, texts),
        last_hit(first.time.monotonic),
        pid(first.pid),
        local_port(first.local.port),
        remote_port(first.remote.port),
        interface(kept.record().interface) {}
  void release(TextPool& texts) { kept.release(texts); }
  [[nodiscard]] bool pending() const { return hits && (hits->hits.count > 0 || hits->bytes_in.count() > 0); }
  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = kept.bytes();
    if (hits) {
      sum += sizeof *hits + 16 + hits->bytes_in.memory_bytes() + hits->bytes_out.memory_bytes() +
             hits->gaps.memory_bytes();
    }
    return sum;
  }
  void count(const ConnectionRecord& again) {
    const bool first = !pending();
    if (!hits) hits = std::make_unique<ConnectionHits>(ConnectionHits{.hits = {.count = 0}});
    Hits& counted = hits->hits;
    counted.first = first ? again.time.wall : std::min(counted.first, again.time.wall);
    const Timestamp last = again.time.wall + again.spread;
    counted.last = first ? last : std::max(counted.last, last);
    if (again.kind == ConnectionRecord::Kind::closed) {
      hits->lasted_max = std::max(hits->lasted_max, again.lasted);
      if (!again.bytes_known) return;
      hits->bytes_in.add(again.bytes_in, again.count);
      hits->bytes_out.add(again.bytes_out, again.count);
      return;
    }
    counted.count += again.count;
    if (again.kind == ConnectionRecord::Kind::failed) hits->failed += again.count;
    hits->hourly[hour_of(again.time.wall)] += static_cast<std::uint32_t>(again.count);
    // Whose order the kernel did not keep have no gaps.
    if (known && again.count == 1) hits->gaps.add(again.time.monotonic - last_hit);
    known = true;
    last_hit = std::max(last_hit, again.time.monotonic + again.spread);
    pid = again.pid;
    // What differs between alike connections is no property of their sum.
    same_local_port = same_local_port && local_port == again.local.port;
    same_remote_port = same_remote_port && remote_port == again.remote.port;
    same_interface = same_interface && interface == again.interface;
  }
  [[nodiscard]] Priority priority(const AggregateOptions& options) const { return options.connection_priority; }
  void report(AggregateSink& sink, Priority priority) {
    ConnectionRecord record = kept.record();
    record.time.wall = hits->hits.first;
    record.pid = pid;
    if (!same_local_port) record.local.port = 0;
    if (!same_remote_port) record.remote.port = 0;
    if (!same_interface) record.interface = {};
    sink.connection(record, *hits, priority);
    hits.reset();
  }
};

struct Aggregator::EventEntry {
  using Record = EventRecord;
  Kept<EventRecord> kept;
  Hits hits{.count = 0};
  EventSums sums;
  Priority newest_priority;

  EventEntry(const EventRecord& first, TextPool& texts) : kept(first, texts), newest_priority(first.priority) {}
  void release(TextPool& texts) { kept.release(texts); }
  [[nodiscard]] bool pending() const { return hits.count > 0; }
  [[nodiscard]] std::size_t bytes() const { return kept.bytes(); }
  [[nodiscard]] Priority priority(const AggregateOptions& /*options*/) const { return newest_priority; }
  void count(const EventRecord& again) {
    newest_priority = again.priority;
    add_hits(hits, 1, again.time.wall, again.time.wall);
    sums.failed += again.failed ? 1 : 0;
    sums.bytes_in += again.bytes_in;
    sums.bytes_out += again.bytes_out;
  }
  void report(AggregateSink& sink, Priority priority) {
    EventRecord record = kept.record();
    record.time.wall = hits.first;
    record.priority = priority;
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
  AggregateKeyBuilder parts(processes_->secret());
  parts.number(static_cast<std::uint64_t>(record.kind)).text(record.argv).text(record.executable).number(record.euid);
  parts.number(record.argv_hash).text(record.container);
  if (record.kind == ProcessRecord::Kind::exit) parts.number(static_cast<std::uint32_t>(record.exit_status));
  for (const StdioFact& fact : record.stdio) add_stdio(parts, fact);
  const AggregateKey key = parts.finish();
  ProcessEntry* entry = processes_->find(key, record.time.monotonic);
  if (entry == nullptr) {
    entry = &processes_->add(key, record, record.time.monotonic);
    if (!first_waits(options_.process_priority)) {
      pass(record.origin.collector);
      sink_.process(record,
                    {.count = record.count, .first = record.time.wall, .last = record.time.wall + record.spread},
                    Priority::urgent);
      return;
    }
  }
  ++counters_.aggregated;
  processes_->count(*entry, record);
}

void Aggregator::emit(const ConnectionRecord& record) {
  ++counters_.taken;
  ++flow(record.origin.collector).taken;
  using Direction = ConnectionRecord::Direction;
  AggregateKeyBuilder parts(connections_->secret());
  parts.number(static_cast<std::uint64_t>(record.direction)).number(record.protocol);
  parts.bytes(record.local.address.bytes).bytes(record.remote.address.bytes);
  parts.number(record.direction == Direction::out ? 0U : record.local.port);
  parts.number(record.direction == Direction::in ? 0U : record.remote.port);
  parts.text(record.executable).text(record.argv).number(record.uid_known ? record.uid : ~std::uint64_t{0});
  const AggregateKey key = parts.finish();
  ConnectionEntry* entry = connections_->find(key, record.time.monotonic);
  const bool closed = record.kind == ConnectionRecord::Kind::closed;
  if (entry == nullptr) {
    entry = &connections_->add(key, record, record.time.monotonic);
    if (!closed && !first_waits(options_.connection_priority)) {  // an end is no first occurrence: it waits anyway
      pass(record.origin.collector);
      ConnectionHits first;
      first.hits = {.count = record.count, .first = record.time.wall, .last = record.time.wall + record.spread};
      first.failed = record.kind == ConnectionRecord::Kind::failed ? record.count : 0;
      sink_.connection(record, first, Priority::urgent);
      return;
    }
    entry->known = false;  // also after an end alone: when the connection began is not known any more
  }
  ++counters_.aggregated;
  connections_->count(*entry, record);
}

void Aggregator::emit(const EventRecord& record) {
  ++flow(record.origin.collector).taken;
  if (record.identity.empty()) {
    ++flow(record.origin.collector).sent;
    return sink_.event(record, {.count = 0}, {}, record.priority);
  }
  ++counters_.taken;
  AggregateKeyBuilder parts(events_->secret());
  const AggregateKey key = parts.text(record.event.name).text(record.identity).finish();
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
  events_->count(*entry, record);
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
