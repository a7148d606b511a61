#include "facts.h"

#include <boost/json/parse.hpp>

#include "base/server/log.h"
#include "kql_run.h"

namespace picket::api {
namespace {

constexpr std::size_t kListStep = 1000;
constexpr std::size_t kFactsMax = 100'000;

constexpr std::string_view kNewestOfAll =
    "DeviceEvents | where RawEventName == 'SystemInformation' "
    "| summarize arg_max(TimeGenerated, EventDetails, AgentVersion) by DeviceId | project DeviceId, EventDetails, "
    "AgentVersion";
constexpr std::string_view kNewestOfOne =
    "declare query_parameters(device:string); DeviceEvents | where DeviceId == device and RawEventName == "
    "'SystemInformation' "
    "| top 1 by TimeGenerated | project EventDetails";

std::string text_of(const boost::json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string{};
}

std::string os_of(std::string_view details) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({details.data(), details.size()}, error);
  if (error || !value.is_object()) return {};
  const boost::json::object& members = value.get_object();
  std::string out = text_of(members, "OSName");
  if (const auto version = text_of(members, "OSVersion"); !version.empty()) out += (out.empty() ? "" : " ") + version;
  if (const auto architecture = text_of(members, "OsArchitecture"); !architecture.empty())
    out += (out.empty() ? "" : ", ") + architecture;
  return out;
}

}  // namespace

SeverityCounts counts_of(const std::vector<state::SeverityCount>& severities) {
  SeverityCounts out;
  for (const auto& [severity, count] : severities) {
    if (severity == "High")
      out.high += count;
    else if (severity == "Medium")
      out.medium += count;
    else if (severity == "Low")
      out.low += count;
    else
      out.informational += count;
  }
  return out;
}

void write_counts(JsonWriter& out, const SeverityCounts& counts) {
  out.begin_object().key("High").value(counts.high).key("Medium").value(counts.medium).key("Low").value(counts.low);
  out.key("Informational").value(counts.informational).end_object();
}

std::string_view reporting_of(const Activity& activity, Timestamp now) {
  if (!activity.last) return "never";
  return now - *activity.last <= kReportingWithin ? "reporting" : "silent";
}

void write_summary(JsonWriter& out, const DeviceView& view, Timestamp now) {
  const state::Device& device = view.device;
  out.key("deviceId").value(device.device_id).key("generationId").value(device.generation_id);
  out.key("status").value(device.enabled ? "enabled" : "disabled");
  if (!device.group.empty()) out.key("group").value(device.group);
  out.key("created").value(device.created);
  if (view.activity.last) out.key("lastActivity").value(*view.activity.last);
  out.key("connectionState").value(view.activity.connected ? "Connected" : "Disconnected");
  out.key("reporting").value(reporting_of(view.activity, now));
  if (!view.facts.agent_version.empty()) out.key("agentVersion").value(view.facts.agent_version);
  if (!view.facts.os.empty()) out.key("os").value(view.facts.os);
  out.key("openAlerts");
  write_counts(out, view.open_alerts);
}

void write_device_counts(JsonWriter& out, const DeviceCounts& counts) {
  out.begin_object()
      .key("total")
      .value(counts.total)
      .key("reporting")
      .value(counts.reporting)
      .key("silent")
      .value(counts.silent);
  out.key("never")
      .value(counts.never)
      .key("disabled")
      .value(counts.disabled)
      .key("connected")
      .value(counts.connected)
      .end_object();
}

std::shared_ptr<const Facts::ByDevice> Facts::gather() const {
  const Timestamp now = services_.clock.now();
  const kql::Options options{.now = now, .time_range = kql::TimeRange{now - kFactsBack, now + Duration::minutes(10)}};
  const auto table = run_kql(services_, kNewestOfAll, options, kFactsMax, stopping_);
  if (!table) {
    log::warning("api", "system information is not available: {} {}", table.error().code, table.error().message);
    return nullptr;
  }
  auto out = std::make_shared<ByDevice>();
  for (std::size_t row = 0; row < table->result.rows; ++row) {
    (*out)[std::string(table->result.at(row, 0).as_text())] = {os_of(table->result.at(row, 1).as_text()),
                                                               std::string(table->result.at(row, 2).as_text())};
  }
  return out;
}

// One query for all devices, at most every kFactsAge: a list must not cost a query for each of its rows. Whoever comes
// while it runs takes what was known before, so that a slow query holds up one worker and not all of them.
std::shared_ptr<const Facts::ByDevice> Facts::facts() {
  const Duration now = services_.clock.monotonic();
  {
    const std::scoped_lock lock(mutex_);
    if (gathering_ || (gathered_ && now - *gathered_ < kFactsAge)) return facts_;
    gathering_ = true;
  }
  auto found = gather();
  const std::scoped_lock lock(mutex_);
  if (found) facts_ = std::move(found);
  gathered_ = now;
  gathering_ = false;
  return facts_;
}

Result<std::vector<DeviceView>> Facts::devices() {
  std::map<std::string, SeverityCounts, std::less<>> open;
  TRY(const auto by_device, services_.alerts.open_by_device(services_.hub));
  for (const auto& [device_id, severities] : by_device) open[device_id] = counts_of(severities);
  const auto known = facts();
  std::vector<DeviceView> out;
  std::string after;
  for (;;) {
    TRY(auto devices, services_.devices.list(services_.hub, after, kListStep));
    const bool last = devices.size() < kListStep;
    if (!devices.empty()) after = devices.back().device_id;
    for (state::Device& device : devices) {
      DeviceView view{.device = std::move(device)};
      view.activity = services_.presence.device(services_.hub, view.device.device_id);
      if (const auto found = open.find(view.device.device_id); found != open.end()) view.open_alerts = found->second;
      if (const auto found = known->find(view.device.device_id); found != known->end()) view.facts = found->second;
      out.push_back(std::move(view));
    }
    if (last) return out;
  }
}

Result<DeviceView> Facts::device(std::string_view device_id) {
  TRY(auto device, services_.devices.find(services_.hub, device_id));
  DeviceView view{.device = std::move(device), .activity = services_.presence.device(services_.hub, device_id)};
  TRY(const auto open, services_.alerts.open_of_device(services_.hub, device_id));
  view.open_alerts = counts_of(open);
  const auto known = facts();
  if (const auto found = known->find(device_id); found != known->end()) view.facts = found->second;
  return view;
}

std::string Facts::system_information(std::string_view device_id) {
  const Timestamp now = services_.clock.now();
  kql::Options options{.now = now, .time_range = kql::TimeRange{now - kFactsBack, now + Duration::minutes(10)}};
  options.parameters.emplace("device", kql::Value{kql::Type::string, std::string(device_id)});
  const auto table = run_kql(services_, kNewestOfOne, options, 1, stopping_);
  if (!table || table->result.rows == 0) return {};
  return std::string(table->result.at(0, 0).as_text());
}

Result<DeviceCounts> Facts::device_counts() {
  DeviceCounts out;
  const Timestamp now = services_.clock.now();
  std::string after;
  for (;;) {
    TRY(const auto devices, services_.devices.list(services_.hub, after, kListStep));
    for (const state::Device& device : devices) {
      const Activity activity = services_.presence.device(services_.hub, device.device_id);
      const std::string_view reporting = reporting_of(activity, now);
      ++out.total;
      ++(reporting == "reporting" ? out.reporting : reporting == "silent" ? out.silent : out.never);
      out.disabled += !device.enabled;
      out.connected += activity.connected;
    }
    if (devices.size() < kListStep) return out;
    after = devices.back().device_id;
  }
}

}  // namespace picket::api
