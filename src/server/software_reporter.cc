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
      static_cast<std::int64_t>(std::hash<std::string>{}(device.device_id) % 1000) * (parts_.whole_every.us / 7000);
  return now - parts_.book.whole_at(device) >= Duration{parts_.whole_every.us - early};
}

void SoftwareReporter::collect() {
  vulnerability::Fleet& fleet = parts_.desk.fleet();
  for (const auto& device : fleet.take_changed()) want(device);
  const std::uint64_t verdicts = fleet.verdicts();
  if (verdicts_ != verdicts) {
    verdicts_ = verdicts;
    for (const auto& device : parts_.book.devices()) want(device);
    fleet.look([this](const sbom::Inventory& inventory) {
      for (sbom::DeviceNumber number = 0; number < inventory.device_count(); ++number) {
        if (!inventory.sources(number).empty()) want(inventory.key(number));
      }
    });
  }
  const Timestamp now = parts_.clock.now();
  if (now - ages_seen_ >= kAgesEvery) {
    ages_seen_ = now;
    for (const auto& device : parts_.book.older_than(now - Duration{parts_.whole_every.us / 7 * 6})) {
      if (due(device, now)) want(device);
    }
  }
  waiting_ = queue_.size();
}

Result<std::size_t> SoftwareReporter::turn() {
  // Before the feeds are back, everything would look resolved.
  if (!parts_.desk.loaded()) return std::size_t{0};
  collect();
  struct Told {
    sbom::DeviceKey device;
    vulnerability::DeviceFacts facts;
    Timestamp whole_at;
    bool changed = false;
  };
  std::vector<Told> told;
  std::vector<std::string> records;
  std::vector<Identity> identities;
  std::size_t rows = 0;
  const Timestamp now = parts_.clock.now();
  while (told.size() < std::min(queue_.size(), kDevicesOfTurn) && rows < kRowsOfTurn) {
    const sbom::DeviceKey& device = queue_[told.size()];
    Told one{device, facts_of(parts_.desk.fleet(), device), parts_.book.whole_at(device), false};
    const bool whole = due(device, now);
    const bool snapshot = whole && one.whole_at.us > 0;
    const std::size_t rows_before = rows;
    for (const ReportTable table : {ReportTable::software, ReportTable::findings}) {
      const auto change = parts_.book.difference(device, table, one.facts[static_cast<std::size_t>(table)], whole);
      rows += change.size();
      for (auto& body : bodies(table, device, now, false, false, change.gone)) records.push_back(std::move(body));
      for (auto& body : bodies(table, device, now, true, snapshot, change.present)) records.push_back(std::move(body));
    }
    identities.resize(records.size(), Identity{device.hub, device.device_id, "", ""});
    if (whole) one.whole_at = now;
    one.changed = whole || rows > rows_before;
    told.push_back(std::move(one));
  }
  DurableGroup group;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const journal::Record record{.kind = journal::RecordKind::table_rows,
                                 .partition = partition_of(identities[i]),
                                 .enqueued = now,
                                 .identity = identities[i],
                                 .properties = {},
                                 .body = as_bytes(records[i])};
    TRY_VOID(parts_.derived.append(record, group.expect()));
  }
  if (!records.empty()) TRY_VOID(group.wait());
  for (const Told& one : told) {
    if (one.changed && !parts_.book.set(one.device, one.facts, one.whole_at)) {
      if (left_out_++ == 0)
        log::warning("software", "no room for the rows of all devices: they are written again and again");
    }
    queued_.erase(one.device);
    queue_.pop_front();
  }
  rows_ += rows;
  waiting_ = queue_.size();
  TRY_VOID(parts_.book.commit());
  return rows;
}

}  // namespace picket::server
