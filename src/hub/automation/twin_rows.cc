#include "hub/twin_rows.h"

#include <algorithm>
#include <map>

namespace picket::hub {
namespace {

HubError failed(const Error& error) { return from_store(error, "The query"); }

std::string_view status_name(state::DeviceJobStatus status) {
  constexpr std::string_view kNames[] = {"pending", "running", "completed", "failed", "canceled"};
  return kNames[static_cast<std::size_t>(status)];
}

JsonValue stored_json(const std::string& text) {
  auto parsed = parse_json(text);
  return parsed ? *std::move(parsed) : JsonValue();
}

JsonValue device_job_json(const state::DeviceJobRow& row, const state::JobRow& job) {
  JsonObject out;
  out.set("deviceId", row.device_id);
  if (!row.module_id.empty()) out.set("moduleId", row.module_id);
  out.set("jobId", row.job_id);
  out.set("jobType", job.kind == state::JobKind::update_twin ? "scheduleUpdateTwin" : "scheduleDeviceMethod");
  out.set("status", status_name(row.status));
  out.set("createdDateTimeUtc", format_rfc3339(row.created));
  out.set("lastUpdatedDateTimeUtc", format_rfc3339(row.updated));
  if (row.start.us != 0) out.set("startTimeUtc", format_rfc3339(row.start));
  if (row.end.us != 0) out.set("endTimeUtc", format_rfc3339(row.end));
  if (!row.outcome.empty()) out.set("outcome", stored_json(row.outcome));
  if (!row.error.empty()) out.set("error", stored_json(row.error));
  return out;
}

}  // namespace

HubResult<QueryRow> TwinRows::row_of(const state::TwinRow& row) const {
  auto document = twins_.document_of(row);
  if (!document) return std::unexpected(document.error());
  if (configurations_ != nullptr) {
    const auto targets = configurations_->targets_of(row.owner.hub, row.owner.device_id, row.owner.module_id);
    if (!targets) return std::unexpected(failed(targets.error()));
    JsonObject out;
    for (const auto& [id, applied] : *targets) {
      JsonObject status;
      status.set("status", applied ? "Applied" : "Targeted");
      out.set(id, std::move(status));
    }
    document->object()->set("configurations", std::move(out));
  }
  return QueryRow{row.owner.device_id, row.owner.module_id, *std::move(document)};
}

HubResult<std::vector<QueryRow>> TwinRows::after(std::string_view first, std::string_view second,
                                                 std::size_t count_max) {
  const auto rows = twins_.store().list(hub_, kind_, first, second, count_max);
  if (!rows) return std::unexpected(failed(rows.error()));
  std::vector<QueryRow> out;
  out.reserve(rows->size());
  for (const state::TwinRow& row : *rows) {
    auto one = row_of(row);
    if (!one) return std::unexpected(one.error());
    out.push_back(*std::move(one));
  }
  return out;
}

HubResult<std::vector<QueryRow>> TwinRows::of_device(std::string_view device_id) {
  std::vector<QueryRow> out;
  if (kind_ == state::TwinKind::devices) {
    const auto row = twins_.store().find(hub_, device_id, "");
    if (!row && row.error().code == Errc::not_found) return out;
    if (!row) return std::unexpected(failed(row.error()));
    auto one = row_of(*row);
    if (!one) return std::unexpected(one.error());
    out.push_back(*std::move(one));
    return out;
  }
  const auto rows = twins_.store().modules(hub_, device_id);
  if (!rows) return std::unexpected(failed(rows.error()));
  for (const state::TwinRow& row : *rows) {
    auto one = row_of(row);
    if (!one) return std::unexpected(one.error());
    out.push_back(*std::move(one));
  }
  return out;
}

HubResult<std::vector<QueryRow>> DeviceJobRows::rows_of(const std::vector<state::DeviceJobRow>& rows) const {
  std::map<std::string, state::JobRow> jobs;
  std::vector<QueryRow> out;
  for (const state::DeviceJobRow& row : rows) {
    auto at = jobs.find(row.job_id);
    if (at == jobs.end()) {
      auto job = jobs_.find(hub_, row.job_id);
      if (!job) continue;  // removed in the meantime
      at = jobs.emplace(row.job_id, *std::move(job)).first;
    }
    out.push_back({row.device_id, row.job_id + "/" + row.module_id, device_job_json(row, at->second)});
  }
  return out;
}

HubResult<std::vector<QueryRow>> DeviceJobRows::after(std::string_view first, std::string_view second,
                                                      std::size_t count_max) {
  const auto rows = jobs_.devices_after(hub_, first, second, count_max);
  if (!rows) return std::unexpected(failed(rows.error()));
  return rows_of(*rows);
}

HubResult<std::vector<QueryRow>> DeviceJobRows::of_device(std::string_view device_id) {
  const auto rows = jobs_.of_device(hub_, device_id);
  if (!rows) return std::unexpected(failed(rows.error()));
  return rows_of(*rows);
}

bool reads_configurations(const Query& query) {
  return std::ranges::any_of(query.paths(),
                             [](const FieldPath& path) { return path.steps[0].name == "configurations"; });
}

}  // namespace picket::hub
