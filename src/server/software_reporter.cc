#include "software_reporter.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/core/identity.h"
#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "base/server/priority.h"
#include "durable_group.h"
#include "pipeline/table_rows.h"
#include "workspace/tables.h"

namespace picket::server {
namespace {

using vulnerability::ReportTable;

constexpr auto kLookEvery = std::chrono::seconds(5);
constexpr auto kPauseBetweenTurns = std::chrono::milliseconds(400);
constexpr Duration kAgesEvery = Duration::minutes(1);

constexpr std::string_view name_of(ReportTable table) {
  return table == ReportTable::software ? workspace::kSoftwareInventory : workspace::kSoftwareVulnerabilities;
}
constexpr std::string_view state_of(ReportTable table, bool present) {
  if (table == ReportTable::software) return present ? "Installed" : "Removed";
  return present ? "Affected" : "Resolved";
}

/// Bodies of records with these rows, as many as their bounds ask for.
std::vector<std::string> bodies(ReportTable table, const sbom::DeviceKey& device, Timestamp now, bool present,
                                bool whole, const std::vector<std::string>& rows) {
  JsonWriter common;
  common.begin_object().key("TimeGenerated").value(now).key("Hub").value(device.hub);
  common.key("DeviceId").value(device.device_id).key("State").value(state_of(table, present));
  const std::string shared = common.key("IsSnapshot").value(whole).end_object().take();
  std::vector<std::string> out;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first, bytes = 0;
    while (last < rows.size() && last - first < pipeline::kTableRowsMax && bytes < pipeline::kTableRowsBytesMax) {
      bytes += rows[last++].size();
    }
    out.push_back(pipeline::table_rows_body(name_of(table), shared, std::span(rows).subspan(first, last - first)));
    first = last;
  }
  return out;
}

}  // namespace

void SoftwareReporter::start() {
  thread_ = std::jthread([this](const std::stop_token& stopping) {
    lower_priority();
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    bool failing = false;
    while (!stopping.stop_requested()) {
      const auto written = turn();
      if (!written && !failing) log::warning("software", "rows of tables: {}", describe(written.error()));
      failing = !written;
      const bool more = written && waiting_ > 0;
      const std::chrono::milliseconds pause = more ? kPauseBetweenTurns : kLookEvery;
      if (!more || *written > 0) wake.wait_for(lock, stopping, pause, [] { return false; });
    }
  });
}

void SoftwareReporter::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void SoftwareReporter::want(const sbom::DeviceKey& device) {
  if (queued_.insert(device).second) queue_.push_back(device);
}

/// Devices of one start are not all written as a whole in the same hour a week later.
bool SoftwareReporter::due(const sbom::DeviceKey& device, Timestamp now) const {
  const std::int64_t early =
      static_cast<std::int64_t>(std::hash<std::string>{}(device.device_id) % 1000) * (whole_every_.us / 7000);
  return now - reports_.book().whole_at(device) >= Duration{whole_every_.us - early};
}

void SoftwareReporter::collect() {
  vulnerability::Fleet& fleet = desk_.fleet();
  for (const auto& device : fleet.take_changed()) want(device);
  for (const auto& device : reports_.look(fleet)) want(device);
  const Timestamp now = clock_.now();
  if (now - ages_seen_ >= kAgesEvery) {
    ages_seen_ = now;
    for (const auto& device : reports_.book().older_than(now - Duration{whole_every_.us / 7 * 6})) {
      if (due(device, now)) want(device);
    }
  }
  waiting_ = queue_.size();
}

Result<std::size_t> SoftwareReporter::turn() {
  // Before the feeds are back, everything would look resolved.
  if (!desk_.loaded()) return std::size_t{0};
  collect();
  struct Told {
    vulnerability::FleetReports::Telling telling;
    Timestamp whole_at;
    bool changed = false;
  };
  std::vector<Told> told;
  std::vector<std::string> records;
  std::vector<Identity> identities;
  std::size_t rows = 0;
  const Timestamp now = clock_.now();
  while (told.size() < std::min(queue_.size(), kDevicesOfTurn) && rows < kRowsOfTurn) {
    const sbom::DeviceKey& device = queue_[told.size()];
    const bool whole = due(device, now);
    const Timestamp before = reports_.book().whole_at(device);
    Told one{reports_.tell(desk_.fleet(), device, whole), whole ? now : before, whole};
    one.changed = whole || one.telling.other;
    for (const ReportTable table : {ReportTable::software, ReportTable::findings}) {
      const auto& change = one.telling.changes[static_cast<std::size_t>(table)];
      rows += change.size();
      const bool snapshot = whole && before.us > 0;
      for (auto& body : bodies(table, device, now, false, false, change.gone)) records.push_back(std::move(body));
      for (auto& body : bodies(table, device, now, true, snapshot, change.present)) records.push_back(std::move(body));
    }
    identities.resize(records.size(), Identity{device.hub, device.device_id, "", ""});
    told.push_back(std::move(one));
  }
  const auto written = write(records, identities, now);
  if (!written) {
    for (Told& one : told) reports_.drop(std::move(one.telling));
    return std::unexpected(written.error());
  }
  for (Told& one : told) {
    queued_.erase(one.telling.device);
    queue_.pop_front();
    if (!one.changed) {
      reports_.drop(std::move(one.telling));
    } else if (!reports_.set(std::move(one.telling), one.whole_at)) {
      if (left_out_++ == 0)
        log::warning("software", "no room for the rows of all devices: they are written again and again");
    }
  }
  rows_ += rows;
  waiting_ = queue_.size();
  TRY_VOID(reports_.book().commit());
  return rows;
}

/// Durable when it returns.
Result<> SoftwareReporter::write(const std::vector<std::string>& records, const std::vector<Identity>& identities,
                                 Timestamp now) {
  DurableGroup group;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const journal::Record record{.kind = journal::RecordKind::table_rows,
                                 .partition = partition_of(identities[i]),
                                 .enqueued = now,
                                 .identity = identities[i],
                                 .properties = {},
                                 .body = as_bytes(records[i])};
    TRY_VOID(derived_.append(record, group.expect()));
  }
  if (!records.empty()) TRY_VOID(group.wait());
  return {};
}

}  // namespace picket::server
