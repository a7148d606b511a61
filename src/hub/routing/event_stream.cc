#include "hub/event_stream.h"

#include <algorithm>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <thread>

namespace picket::hub {
namespace {

constexpr std::string_view kSecurityInterface = "urn:azureiot:Security:SecurityAgent:1";
/// One look at the journal for one reader; others get their turn after it.
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kEventsAtOnceMax = 256;

std::uint16_t partition_of_record(const journal::RecordView& record) {
  return static_cast<std::uint16_t>(record.partition % kEventPartitions);
}

bool is_before(const EventStart& start, const StreamEvent& event) {
  switch (start.kind) {
    case EventStart::Kind::sequence:
      return start.inclusive ? event.sequence < start.sequence : event.sequence <= start.sequence;
    case EventStart::Kind::time:
      return start.inclusive ? event.enqueued < start.time : event.enqueued <= start.time;
    default:
      return false;
  }
}

/// What a reader wants and where it stands; shared by the reader and the stream's thread.
struct Subscription {
  std::string hub;
  std::uint16_t partition = 0;
  EventStart start;
  std::unique_ptr<journal::Reader> reader;  // the stream's thread only
  // Under the stream's lock:
  Done<std::vector<StreamEvent>> waiting;
  std::size_t count_max = 0;
  bool look = true;  ///< There may be something to read.
  bool closed = false;
  std::vector<StreamEvent> ready;  // the stream's thread only: read and not asked for yet
};

class JournalEventStream final : public EventStream {
 public:
  JournalEventStream(journal::Journal& journal, EventView view, EventsFrom from)
      : journal_(journal), view_(std::move(view)), from_(std::move(from)) {
    listener_ = journal_.add_listener([this] { appended(); });
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~JournalEventStream() override {
    journal_.remove_listener(listener_);
    thread_.request_stop();
    changed_.notify_all();
    thread_.join();
    for (auto& subscription : subscriptions_) answer_end(*subscription);
  }

  HubResult<std::unique_ptr<EventReader>> open(std::string_view hub, std::uint16_t partition,
                                               EventStart start) override;
  PartitionInfo info(std::string_view hub, std::uint16_t partition) const override;

  void receive(const std::shared_ptr<Subscription>& subscription, std::size_t count_max,
               Done<std::vector<StreamEvent>> done) {
    {
      const std::scoped_lock lock(mutex_);
      subscription->waiting = std::move(done);
      subscription->count_max = std::clamp<std::size_t>(count_max, 1, kEventsAtOnceMax);
      subscription->look = true;
    }
    changed_.notify_one();
  }
  void close(const std::shared_ptr<Subscription>& subscription) {
    Done<std::vector<StreamEvent>> waiting;
    {
      const std::scoped_lock lock(mutex_);
      subscription->closed = true;
      waiting = std::move(subscription->waiting);
    }
    if (waiting) waiting(hub_fail(kConnectionLost, "The receiver was closed."));
    changed_.notify_one();
  }

 private:
  static void answer_end(Subscription& subscription) {
    if (subscription.waiting) {
      std::exchange(subscription.waiting, nullptr)(hub_fail(kUnavailable, "The hub is stopping."));
    }
  }
  void appended() {
    {
      const std::scoped_lock lock(mutex_);
      for (auto& subscription : subscriptions_) subscription->look = true;
    }
    changed_.notify_one();
  }
  void run(const std::stop_token& stop);
  std::shared_ptr<Subscription> next_due(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  void serve(Subscription& subscription);
  /// False: nothing more there.
  HubResult<bool> read_some(Subscription& subscription);

  journal::Journal& journal_;
  EventView view_;
  EventsFrom from_;
  std::uint64_t listener_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::list<std::shared_ptr<Subscription>> subscriptions_;
  std::jthread thread_;
};

class JournalEventReader final : public EventReader {
 public:
  JournalEventReader(JournalEventStream& stream, std::shared_ptr<Subscription> subscription)
      : stream_(stream), subscription_(std::move(subscription)) {}
  ~JournalEventReader() override { stream_.close(subscription_); }
  void receive(std::size_t count_max, Done<std::vector<StreamEvent>> done) override {
    stream_.receive(subscription_, count_max, std::move(done));
  }

 private:
  JournalEventStream& stream_;
  std::shared_ptr<Subscription> subscription_;
};

/// A sequence that retention has passed means: from the oldest that is left.
Result<std::unique_ptr<journal::Reader>> reader_at(journal::Journal& journal, const EventStart& start) {
  switch (start.kind) {
    case EventStart::Kind::latest:
      return journal.reader(journal.end());
    case EventStart::Kind::sequence: {
      auto reader = journal.reader(journal::Position::at(0, std::max<std::uint64_t>(start.sequence, 1)));
      if (reader) return reader;
      return journal.reader(reader.error().code == Errc::limit_exceeded ? journal.end() : journal.begin());
    }
    default:
      return journal.reader(journal.begin());
  }
}

HubResult<std::unique_ptr<EventReader>> JournalEventStream::open(std::string_view hub, std::uint16_t partition,
                                                                 EventStart start) {
  if (partition >= kEventPartitions) {
    return hub_fail(kDeviceNotFound, "The partition does not exist; the hub has partitions 0 to 3.");
  }
  auto subscription = std::make_shared<Subscription>();
  subscription->hub = hub;
  subscription->partition = partition;
  subscription->start = start;
  auto reader = reader_at(journal_, start);
  if (!reader) return std::unexpected(from_store(reader.error(), "The partition"));
  subscription->reader = *std::move(reader);
  const std::scoped_lock lock(mutex_);
  if (subscriptions_.size() >= kEventReadersMax) {
    return hub_fail(kQuotaExceeded, "Too many receivers are open; close some of them.");
  }
  subscriptions_.push_back(subscription);
  return std::make_unique<JournalEventReader>(*this, subscription);
}

/// Walks once through what is there: partitions have no index of their own.
PartitionInfo JournalEventStream::info(std::string_view hub, std::uint16_t partition) const {
  PartitionInfo out;
  out.begin_sequence = journal_.begin().next_of(0);
  const std::uint64_t end = journal_.end().next_of(0);
  // Sequences are shared by the partitions: the newest record bounds this one's. A client that starts "behind the last"
  // then misses nothing that comes later.
  out.last_sequence = end == 0 ? 0 : end - 1;
  out.last_enqueued = journal_.stats().last_enqueued;
  out.empty = out.last_sequence < out.begin_sequence || hub.empty() || partition >= kEventPartitions;
  return out;
}

std::shared_ptr<Subscription> JournalEventStream::next_due(std::unique_lock<std::mutex>& lock,
                                                           const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::erase_if(subscriptions_, [](const auto& subscription) { return subscription->closed; });
    const auto due = std::ranges::find_if(
        subscriptions_, [](const auto& subscription) { return subscription->look && subscription->waiting; });
    if (due != subscriptions_.end()) {
      auto found = *due;
      subscriptions_.splice(subscriptions_.end(), subscriptions_, due);  // everybody in turn
      return found;
    }
    changed_.wait(lock, stop, [this] {
      return std::ranges::any_of(subscriptions_, [](const auto& subscription) {
        return subscription->closed || (subscription->look && subscription->waiting);
      });
    });
  }
  return nullptr;
}

void JournalEventStream::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (auto subscription = next_due(lock, stop)) {
    subscription->look = false;
    lock.unlock();
    serve(*subscription);
    lock.lock();
  }
}

HubResult<bool> JournalEventStream::read_some(Subscription& subscription) {
  const auto batch = subscription.reader->read(kReadBytes);
  if (!batch) {
    if (batch.error().where == "journal.read.expired") {
      auto fresh = journal_.reader(journal_.begin());
      if (fresh) {
        subscription.reader = *std::move(fresh);
        return true;
      }
    }
    return std::unexpected(from_store(batch.error(), "The partition"));
  }
  const Timestamp from = from_ ? from_(subscription.hub) : Timestamp{};
  for (const auto& record : batch->records) {
    if (record.enqueued < from) continue;
    if (partition_of_record(record) != subscription.partition || record.identity.hub != subscription.hub) continue;
    auto event = view_(record);
    if (event && !is_before(subscription.start, *event)) subscription.ready.push_back(*std::move(event));
  }
  return !batch->records.empty();
}

void JournalEventStream::serve(Subscription& subscription) {
  HubResult<bool> more = true;
  if (subscription.ready.empty()) more = read_some(subscription);
  std::unique_lock lock(mutex_);
  if (subscription.closed || !subscription.waiting) return;
  if (!more) {
    auto waiting = std::exchange(subscription.waiting, nullptr);
    lock.unlock();
    return waiting(std::unexpected(more.error()));
  }
  if (subscription.ready.empty()) {
    subscription.look = subscription.look || *more;
    return;
  }
  auto waiting = std::exchange(subscription.waiting, nullptr);
  const auto count = static_cast<std::ptrdiff_t>(std::min(subscription.count_max, subscription.ready.size()));
  lock.unlock();
  std::vector<StreamEvent> out(std::make_move_iterator(subscription.ready.begin()),
                               std::make_move_iterator(subscription.ready.begin() + count));
  subscription.ready.erase(subscription.ready.begin(), subscription.ready.begin() + count);
  waiting(std::move(out));
}

}  // namespace

EventView plain_event_view() {
  return [](const journal::RecordView& record) -> std::optional<StreamEvent> {
    if (record.kind != journal::RecordKind::message) return std::nullopt;
    const auto* interface_id = record.property("$.ifid");
    if (interface_id != nullptr && *interface_id == kSecurityInterface) return std::nullopt;
    StreamEvent out{.sequence = record.id.sequence,
                    .enqueued = record.enqueued,
                    .identity = record.identity.to_identity(),
                    .properties = {},
                    .body = Buffer(record.body.begin(), record.body.end())};
    for (const auto& property : record.properties) out.properties.emplace_back(property.name, property.value);
    return out;
  };
}

std::unique_ptr<EventStream> make_event_stream(journal::Journal& journal, EventView view, EventsFrom from) {
  return std::make_unique<JournalEventStream>(journal, std::move(view), std::move(from));
}

}  // namespace picket::hub
