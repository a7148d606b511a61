#include "job_json.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace picket::hub {
namespace {

constexpr std::array<std::string_view, 6> kStatusNames{"scheduled", "queued", "running",
                                                       "completed", "failed", "cancelled"};
constexpr std::array<std::string_view, 2> kKindNames{"scheduleUpdateTwin", "scheduleDeviceMethod"};

HubResult<JsonValue> parse_object(std::string_view text) {
  auto parsed = parse_json(text, {.bytes_max = kJobBodyBytesMax, .depth_max = 24});
  if (!parsed) {
    const bool large = parsed.error().where == "json.size";
    return hub_fail(large ? kTooLarge : kArgumentInvalid, "The body: " + explain_json(parsed.error()));
  }
  if (parsed->object() == nullptr) return hub_fail(kArgumentInvalid, "The body must be a JSON object.");
  return *std::move(parsed);
}

HubResult<std::int64_t> seconds_of(const JsonValue& parent, std::string_view key, std::int64_t fallback,
                                   std::int64_t least, std::int64_t most) {
  const JsonValue* const member = parent.find(key);
  if (member == nullptr || member->is_null()) return fallback;
  const auto value = parent.integer_of(key);
  if (!value || *value < least || *value > most) {
    return hub_fail(kArgumentInvalid, fmt::format("{} must be a whole number from {} to {}.", key, least, most));
  }
  return *value;
}

HubResult<JobMethod> parse_method(const JsonValue& given) {
  JobMethod out;
  out.name = given.text_of("methodName");
  if (out.name.empty() || out.name.size() > 100) {
    return hub_fail(kArgumentInvalid, "cloudToDeviceMethod.methodName must be 1 to 100 bytes of text.");
  }
  if (const JsonValue* const payload = given.find("payload")) out.payload = payload->to_string();
  if (out.payload.size() > 128 * 1024) return hub_fail(kTooLarge, "cloudToDeviceMethod.payload is larger than 128 KB.");
  const char* const name =
      given.find("responseTimeoutInSeconds") != nullptr ? "responseTimeoutInSeconds" : "timeoutInSeconds";
  const auto response = seconds_of(given, name, 30, 5, 300);
  if (!response) return std::unexpected(response.error());
  const auto connect = seconds_of(given, "connectTimeoutInSeconds", 0, 0, 300);
  if (!connect) return std::unexpected(connect.error());
  out.response_timeout = Duration::seconds(*response);
  out.connect_timeout = Duration::seconds(*connect);
  return out;
}

// What jobs of older SDKs call their types.
std::optional<state::JobKind> kind_of(std::string_view type) {
  if (type == "scheduleUpdateTwin" || type == "scheduleTwinUpdate") return state::JobKind::update_twin;
  if (type == "scheduleDeviceMethod" || type == "scheduleDirectRequest") return state::JobKind::device_method;
  return std::nullopt;
}

HubResult<JobTask> parse_request(const JsonValue& request, state::JobKind kind) {
  JobTask out;
  const std::string_view condition = request.text_of("queryCondition");
  if (condition.empty())
    return hub_fail(kArgumentInvalid, "queryCondition is missing; give a condition, or * for all devices.");
  auto target = parse_target_condition(condition);
  if (!target) {
    std::string message = target.error().message;
    if (message.starts_with("targetCondition")) message.replace(0, 15, "queryCondition");
    return hub_fail(target.error().code, std::move(message));
  }
  out.target = *std::move(target);
  const bool twin = kind == state::JobKind::update_twin;
  const char* const name = twin ? "updateTwin" : "cloudToDeviceMethod";
  const JsonValue* const task = request.find(name);
  if (task == nullptr || task->object() == nullptr)
    return hub_fail(kArgumentInvalid, fmt::format("{} is missing.", name));
  if (!twin) {
    auto method = parse_method(*task);
    if (!method) return std::unexpected(method.error());
    out.method = *std::move(method);
    return out;
  }
  auto change = parse_twin_change(task->to_string());
  if (!change) return std::unexpected(HubError{change.error().code, "updateTwin: " + change.error().message});
  TwinDocument scratch;
  if (change->tags) {
    if (auto done = patch_tags(scratch.tags, *change->tags); !done) return std::unexpected(done.error());
  }
  if (change->desired) {
    if (auto done = patch_part(scratch.desired, *change->desired, TwinSection::desired, {}); !done)
      return std::unexpected(done.error());
  }
  out.change = *std::move(change);
  out.if_match = task->text_of("etag");
  return out;
}

}  // namespace

std::optional<state::JobKind> job_kind_from(std::string_view type) { return kind_of(type); }

std::optional<state::JobStatus> job_status_from(std::string_view status) {
  const auto* const at = std::ranges::find(kStatusNames, status);
  if (at == kStatusNames.end()) return std::nullopt;
  return static_cast<state::JobStatus>(at - kStatusNames.begin());
}

HubResult<state::JobRow> parse_job(std::string_view body, Timestamp now) {
  const auto given = parse_object(body);
  if (!given) return std::unexpected(given.error());
  state::JobRow out;
  const auto kind = kind_of(given->text_of("type"));
  if (!kind) return hub_fail(kArgumentInvalid, "type must be scheduleUpdateTwin or scheduleDeviceMethod.");
  out.kind = *kind;
  out.created = now;
  out.start = now;
  if (const std::string_view start = given->text_of("startTime"); !start.empty()) {
    const auto time = parse_rfc3339(start);
    if (!time) return hub_fail(kArgumentInvalid, "startTime must be an ISO 8601 time such as 2026-11-21T09:30:00Z.");
    out.start = std::max(*time, now);
  }
  const auto seconds = seconds_of(*given, "maxExecutionTimeInSeconds", 3600, 0, kJobTimeMax.whole_seconds());
  if (!seconds) return std::unexpected(seconds.error());
  out.deadline = out.start + Duration::seconds(*seconds == 0 ? 3600 : *seconds);
  JsonObject request;
  request.set("queryCondition", given->text_of("queryCondition"));
  const char* const name = out.kind == state::JobKind::update_twin ? "updateTwin" : "cloudToDeviceMethod";
  if (const JsonValue* const task = given->find(name)) request.set(name, *task);
  const JsonValue stored(std::move(request));
  if (auto task = parse_request(stored, out.kind); !task) return std::unexpected(task.error());
  out.request = stored.to_string();
  return out;
}

HubResult<JobTask> parse_task(const state::JobRow& job) {
  const auto request = parse_object(job.request);
  if (!request) return std::unexpected(request.error());
  return parse_request(*request, job.kind);
}

JsonValue job_json(const state::JobRow& job, const state::JobCounts& counts) {
  const auto request = parse_json(job.request, {.bytes_max = 2 * kJobBodyBytesMax, .depth_max = 32});
  JsonObject out = request && request->object() != nullptr ? *request->object() : JsonObject();
  out.set("jobId", job.id);
  out.set("type", kKindNames[static_cast<std::size_t>(job.kind)]);
  out.set("status", kStatusNames[static_cast<std::size_t>(job.status)]);
  out.set("createdTime", format_rfc3339(job.created));
  out.set("startTime", format_rfc3339(job.start));
  if (job.end.us != 0) out.set("endTime", format_rfc3339(job.end));
  out.set("maxExecutionTimeInSeconds", (job.deadline - job.start).whole_seconds());
  if (!job.failure.empty()) out.set("failureReason", job.failure);
  JsonObject statistics;
  statistics.set("deviceCount", counts.all());
  statistics.set("failedCount", counts.failed);
  statistics.set("succeededCount", counts.succeeded);
  statistics.set("runningCount", counts.running);
  statistics.set("pendingCount", counts.pending);
  out.set("deviceJobStatistics", std::move(statistics));
  return out;
}

}  // namespace picket::hub
