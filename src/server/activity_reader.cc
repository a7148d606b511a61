#include "activity_reader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/server/log.h"

namespace picket::server {
namespace {

constexpr Duration kActivityTimeout = Duration::minutes(10);
constexpr auto kQuietPoll = std::chrono::milliseconds(200);
constexpr int kQuietPollsMax = 50;

}  // namespace

ActivityReader::ActivityReader(workspace::Workspace& workspace, Presence& presence, const Clock& clock)
    : workspace_(workspace),
      presence_(presence),
      clock_(clock),
      thread_([this](const std::stop_token& stopping) { read_all(stopping); }) {}

void ActivityReader::read_all(const std::stop_token& stopping) {
  Timestamp to = clock_.now() + Duration::days(1);
  Timestamp oldest = to;
  for (const workspace::TableStats& table : workspace_.tables()) oldest = std::min(oldest, table.oldest.value_or(to));
  while (to >= oldest && !stopping.stop_requested()) {
    const Timestamp from = to - Duration::days(to > clock_.now() ? 2 : 1);
    if (!read(from, to, stopping)) return;
    to = from;
    wait_for_quiet(stopping);
  }
}

bool ActivityReader::read(Timestamp from, Timestamp to, const std::stop_token& stopping) {
  const workspace::QueryRequest request{
      .sql = R"(SELECT "Hub", "DeviceId", "ModuleId", max("_ingested") FROM "RawEvents" )"
             R"(WHERE "TimeGenerated" >= $1 AND "TimeGenerated" < $2 GROUP BY ALL)",
      .binds = {workspace::Cell::timestamp(from), workspace::Cell::timestamp(to)},
      .rows_max = Presence::kIdentitiesMax,
      .bytes_max = 256U << 20,
      .timeout = kActivityTimeout,
      .cancellation = stopping,
      .time_from = from,
      .time_to = to};
  const auto found = workspace_.query(request);
  if (stopping.stop_requested()) return false;
  if (!found) {
    log::warning("server", "activity of devices before {} is not shown: {}", format_rfc3339(to), found.error().text);
    return false;
  }
  for (std::size_t row = 0; row < found->rows; ++row) {
    const auto text = [&](std::size_t column) { return std::string(found->at(row, column).as_text()); };
    presence_.message({text(0), text(1), text(2), ""}, found->at(row, 3).as_timestamp());
  }
  return true;
}

// Others' queries go first, though not for ever.
void ActivityReader::wait_for_quiet(const std::stop_token& stopping) const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  for (int i = 0; i < kQuietPollsMax && !stopping.stop_requested(); ++i) {
    wake.wait_for(lock, stopping, kQuietPoll, [] { return false; });
    if (workspace_.stats().queries_running == 0) return;
  }
}

}  // namespace picket::server
