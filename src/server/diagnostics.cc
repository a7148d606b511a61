#include "diagnostics.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "pipeline/diagnostic_record.h"

namespace picket::server {
namespace {

constexpr std::string_view kConsumer = "diagnostics";
constexpr std::size_t kReadBytes = 1 << 20;
constexpr Duration kWait = Duration::milliseconds(250);

void pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
}

bool sends_anything(const hub::HubSettings& hub) {
  return std::ranges::any_of(hub.configuration.diagnostics, [](const hub::DiagnosticSetting& setting) {
    return std::ranges::find(setting.sinks, hub::kStorageSink) != setting.sinks.end() && !setting.categories.empty();
  });
}

}  // namespace

Diagnostics::Diagnostics(journal::Journal& journal, const hub::HubSettingsStore& settings, const Clock& clock,
                         DiagnosticsOptions options)
    : journal_(journal), settings_(settings), clock_(clock), options_(std::move(options)) {}

Diagnostics::~Diagnostics() { stop(); }

bool Diagnostics::wanted() const {
  return std::ranges::any_of(settings_.all(), [](const auto& hub) { return sends_anything(*hub); });
}

Result<> Diagnostics::follow_settings() {
  const bool resume = first_;
  const bool on = wanted();
  if (on && !running_) TRY_VOID(start(resume));
  if (!on && (running_ || resume)) {
    stop();
    // It holds retention back no more. Not there: nothing to forget.
    if (const auto done = journal_.remove_consumer(kConsumer); done) TRY_VOID(journal_.store_positions());
  }
  first_ = false;
  return {};
}

Result<> Diagnostics::start(bool resume) {
  auto files = std::make_unique<DiagnosticFiles>(options_.directory, options_.bytes_max);
  TRY_VOID(files->recover());
  TRY(auto position, journal_.add_consumer(kConsumer));
  if (!resume) {
    position = journal_.end();
    TRY_VOID(journal_.set_position(kConsumer, position));
    TRY_VOID(journal_.store_positions());
  }
  TRY(reader_, journal_.reader(position));
  files_ = std::move(files);
  bytes_ = files_->bytes();
  done_ = position.next_of(0);
  running_ = true;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void Diagnostics::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  running_ = false;
  reader_.reset();
  files_.reset();
}

void Diagnostics::complain(const Error& error) {
  if (failures_++ % 60 == 0 && options_.log) options_.log("diagnostics: " + describe(error));
}

void Diagnostics::give_up(const journal::Position& from, const journal::Position& to) {
  dropped_lag_ += to.next_of(0) - std::min(to.next_of(0), from.next_of(0));
  done_ = to.next_of(0);
  if (const auto set = journal_.set_position(kConsumer, to); !set) complain(set.error());
}

void Diagnostics::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    (void)reader_->wait(kWait);
    const auto from = reader_->position();
    const auto batch = reader_->read(kReadBytes);
    if (!batch) {
      complain(batch.error());
      const auto begin = journal_.begin();
      auto fresh = batch.error().where == "journal.read.expired" ? journal_.reader(begin) : journal_.reader(from);
      if (batch.error().where == "journal.read.expired") give_up(from, begin);
      if (fresh) reader_ = *std::move(fresh);
      pause(stop);
      continue;
    }
    if (!carry(*batch)) {
      const auto end = journal_.end();
      if (end.next_of(0) - from.next_of(0) > options_.lag_records_max) {
        give_up(from, batch->next);
        continue;
      }
      pause(stop);  // the disk is full or broken; nothing else to do
      if (auto again = journal_.reader(from)) reader_ = *std::move(again);
      continue;
    }
    files_->close_before(clock_.now());
    if (batch->records.empty()) continue;
    done_ = batch->next.next_of(0);
    if (const auto set = journal_.set_position(kConsumer, batch->next); !set) complain(set.error());
  }
}

bool Diagnostics::carry(const journal::Batch& batch) {
  for (const auto& record : batch.records) {
    if (!keep(record)) return false;
  }
  const auto synced = files_->sync();
  bytes_ = files_->bytes();
  removed_ = files_->removed();
  if (!synced) complain(synced.error());
  return synced.has_value();
}

bool Diagnostics::keep(const journal::RecordView& record) {
  std::string resource_id;
  const auto wanted = [&](std::string_view hub,
                          std::string_view category) -> std::optional<pipeline::DiagnosticSource> {
    const auto settings = settings_.of(hub);
    if (!settings) return std::nullopt;
    const bool sent = std::ranges::any_of(settings->configuration.diagnostics, [&](const auto& setting) {
      return setting.sends(category, hub::kStorageSink);
    });
    if (!sent) return std::nullopt;
    resource_id = settings->resource_id;
    return pipeline::DiagnosticSource{settings->resource_id, settings->location};
  };
  const auto line = pipeline::diagnostic_line(record, wanted);
  if (!line) return true;
  const auto kept = files_->append({.category = line->category,
                                    .resource_id = resource_id,
                                    .enqueued = record.enqueued,
                                    .record = record.id.sequence,
                                    .json = line->json});
  if (!kept) {
    complain(kept.error());
    return false;
  }
  auto& counter = *kept == DiagnosticFiles::Kept::written    ? written_
                  : *kept == DiagnosticFiles::Kept::repeated ? repeated_
                                                             : dropped_room_;
  ++counter;
  return true;
}

DiagnosticsStats Diagnostics::stats() const {
  const auto end = journal_.end().next_of(0);
  const auto done = done_.load();
  return {.running = running_,
          .written = written_,
          .repeated = repeated_,
          .dropped_room = dropped_room_,
          .dropped_lag = dropped_lag_,
          .write_failures = failures_,
          .files_removed = removed_,
          .bytes = bytes_,
          .lag_records = running_ && end > done ? end - done : 0};
}

}  // namespace picket::server
