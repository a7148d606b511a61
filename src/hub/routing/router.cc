#include "hub/router.h"

#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "storage_files.h"

namespace picket::hub {
namespace {

constexpr std::string_view kConsumer = "routes";
constexpr std::size_t kReadBytes = 1 << 20;
constexpr Duration kWait = Duration::milliseconds(250);

class JournalRouter final : public Router {
 public:
  JournalRouter(journal::Journal& journal, TwinLookup twins, const Clock& clock, RouterOptions options)
      : journal_(journal),
        twins_(std::move(twins)),
        clock_(clock),
        options_(std::move(options)),
        files_(options_.directory) {}
  ~JournalRouter() override { stop(); }

  Result<> start();
  void stop() override;
  void set_routes(const std::string& hub, std::shared_ptr<const RouteSet> routes) override {
    const std::scoped_lock lock(mutex_);
    if (routes) {
      routes_[hub] = std::move(routes);
    } else {
      routes_.erase(hub);
    }
  }
  std::shared_ptr<const RouteSet> routes(std::string_view hub) const override {
    const std::scoped_lock lock(mutex_);
    const auto found = routes_.find(hub);
    return found == routes_.end() ? nullptr : found->second;
  }
  EventView view() override {
    return [this](const journal::RecordView& record) { return built_in(record); };
  }
  RouterStats stats() const override;

 private:
  void run(const std::stop_token& stop);
  /// False: something could not be written; the same records are to be read again.
  bool carry(const journal::Batch& batch);
  bool deliver(const RoutedMessage& message, const RouteSet& set, const RoutedTo& to, std::uint16_t partition);
  std::optional<StreamEvent> built_in(const journal::RecordView& record);
  void complain(const Error& error);

  journal::Journal& journal_;
  TwinLookup twins_;
  const Clock& clock_;
  RouterOptions options_;
  StorageFiles files_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const RouteSet>, std::less<>> routes_;
  RoutingCounters counters_{};
  RoutingCounters view_counters_{};  ///< Of readers of the built-in endpoint; they may read a message often.
  std::atomic<std::uint64_t> finished_ = 0, failures_ = 0, done_ = 0;
  std::unique_ptr<journal::Reader> reader_;
  std::jthread thread_;
};

Result<> JournalRouter::start() {
  TRY(const auto recovered, files_.recover());
  finished_ += recovered;
  TRY(const auto position, journal_.add_consumer(kConsumer));
  TRY(reader_, journal_.reader(position));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void JournalRouter::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void JournalRouter::complain(const Error& error) {
  if (failures_++ % 60 == 0 && options_.log) options_.log("routes: " + describe(error));
}

void JournalRouter::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    (void)reader_->wait(kWait);
    const auto from = reader_->position();
    const auto batch = reader_->read(kReadBytes);
    if (!batch) {
      complain(batch.error());
      if (batch.error().where == "journal.read.expired") {
        if (auto fresh = journal_.reader(journal_.begin())) reader_ = *std::move(fresh);
      } else {
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
      continue;
    }
    if (!carry(*batch)) {
      std::this_thread::sleep_for(std::chrono::seconds(1));  // the disk is full or broken; nothing else to do
      if (auto again = journal_.reader(from)) reader_ = *std::move(again);
      continue;
    }
    const auto due = files_.finish_due(clock_.now());
    if (due) {
      finished_ += *due;
    } else {
      complain(due.error());
    }
    if (batch->records.empty()) continue;
    done_ = batch->next.next_of(0);
    if (const auto set = journal_.set_position(kConsumer, batch->next); !set) complain(set.error());
  }
  if (const auto finished = files_.finish_all(); finished) finished_ += *finished;
}

bool JournalRouter::carry(const journal::Batch& batch) {
  for (const auto& record : batch.records) {
    const auto set = routes(record.identity.hub);
    if (!set) {  // everything stays with the built-in endpoint
      const bool counted = is_device_message(record);
      counters_.delivered += counted ? 1 : 0;
      counters_.fallback += counted ? 1 : 0;
      continue;
    }
    const auto message = routed_message_of(record);
    if (!message) continue;
    const auto to = set->route(*message, twins_, counters_);
    if (!deliver(*message, *set, to, static_cast<std::uint16_t>(record.partition % kEventPartitions))) return false;
  }
  const auto synced = files_.sync();
  if (!synced) complain(synced.error());
  return synced.has_value();
}

bool JournalRouter::deliver(const RoutedMessage& message, const RouteSet& set, const RoutedTo& to,
                            std::uint16_t partition) {
  for (const auto endpoint : to.endpoints) {
    for (const auto& storage : set.config().storage) {
      if (storage.name != endpoint) continue;
      StreamEvent event = message.event;
      set.enrich(event, endpoint, twins_);
      const auto written = files_.append(storage, event.identity.hub, partition, clock_.now(), storage_line(event));
      if (written) continue;
      complain(written.error());
      return false;
    }
  }
  return true;
}

std::optional<StreamEvent> JournalRouter::built_in(const journal::RecordView& record) {
  auto message = routed_message_of(record);
  if (!message) return std::nullopt;
  const auto set = routes(record.identity.hub);
  if (!set) {
    if (message->source != MessageSource::device_messages) return std::nullopt;
    return std::move(message->event);
  }
  const auto to = set->route(*message, twins_, view_counters_);
  for (const auto endpoint : to.endpoints) {
    if (endpoint != kBuiltInEndpoint) continue;
    set->enrich(message->event, endpoint, twins_);
    return std::move(message->event);
  }
  return std::nullopt;
}

RouterStats JournalRouter::stats() const {
  const auto end = journal_.end().next_of(0);
  const auto done = done_.load();
  return {.delivered = counters_.delivered,
          .fallback = counters_.fallback,
          .orphaned = counters_.orphaned,
          .undefined = counters_.undefined,
          .files_finished = finished_,
          .write_failures = failures_,
          .lag_records = end > done ? end - done : 0};
}

}  // namespace

Result<std::unique_ptr<Router>> start_router(journal::Journal& journal, TwinLookup twins, const Clock& clock,
                                             RouterOptions options) {
  auto router = std::make_unique<JournalRouter>(journal, std::move(twins), clock, std::move(options));
  TRY_VOID(router->start());
  return router;
}

}  // namespace picket::hub
