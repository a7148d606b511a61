// Posture as one number: scores of devices, groups and all, their trend, and exemptions.
#include <algorithm>
#include <charconv>

#include "../json_body.h"
#include "../paging.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "pipeline/catalogue.h"
#include "state/posture.h"

namespace picket::api {
namespace {

constexpr std::size_t kWorstDevices = 10;
constexpr std::string_view kFormula =
    "100 * 50 / (50 + lost); lost = 10 for each active recommendation of severity High, 5 for Medium, 2 for Low. "
    "Exempt ones and IoT_Baseline, whose checks count one by one, are left out. Of several devices: the mean.";

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

void write_members(JsonWriter& out, const state::DeviceScore& device) {
  out.key("deviceId").value(device.device_id).key("group").value(device.security_group);
  out.key("score").value(device.score()).key("lost").value(device.lost()).key("active").begin_object();
  out.key("High").value(device.high).key("Medium").value(device.medium).key("Low").value(device.low);
  out.key("Informational").value(device.informational).end_object();
  out.key("exempt").value(device.exempt);
}

void write_device(JsonWriter& out, const state::DeviceScore& device) {
  out.begin_object();
  write_members(out, device);
  out.end_object();
}

void write_day(JsonWriter& out, const state::DayScore& day) {
  out.begin_object().key("day").value(day.day).key("score").value(day.score);
  out.key("devices").value(day.devices).end_object();
}

void write_exemption(JsonWriter& out, const state::Exemption& one, Timestamp now) {
  out.begin_object().key("id").value(one.id).key("type").value(one.type).key("deviceId").value(one.device_id);
  out.key("group").value(one.security_group).key("reason").value(one.reason).key("user").value(one.user);
  out.key("created").value(one.created);
  if (one.until) out.key("until").value(*one.until);
  out.key("expired").value(one.until && *one.until <= now).end_object();
}

/// Whether there may be recommendations of this type. Those about checks of a baseline are made as devices name them.
bool is_type(std::string_view type) {
  return type.starts_with("IoT_CISBenchmarks_") || pipeline::RecommendationCatalogue::builtin().find(type) != nullptr;
}

}  // namespace

Answer get_posture(Call& call) {
  auto* posture = call.parts.services.posture;
  if (posture == nullptr) return not_offered();
  API_TRY(const auto group, text_parameter(call, "group", 128));
  const std::string& hub = call.parts.services.hub;
  const auto devices = posture->scores(hub, group, call.now());
  if (!devices) return api_error(devices.error(), "posture");
  const auto trend = posture->trend(hub, group);
  if (!trend) return api_error(trend.error(), "posture");
  const state::DayScore now = state::mean_score(*devices, call.now());
  state::DeviceScore sum;
  for (const state::DeviceScore& one : *devices) {
    sum.high += one.high;
    sum.medium += one.medium;
    sum.low += one.low;
    sum.informational += one.informational;
    sum.exempt += one.exempt;
  }
  JsonWriter out;
  out.begin_object().key("group").value(group).key("score").value(now.score).key("devices").value(now.devices);
  out.key("formula").value(kFormula).key("active").begin_object().key("High").value(sum.high);
  out.key("Medium").value(sum.medium).key("Low").value(sum.low).key("Informational").value(sum.informational);
  out.end_object().key("exempt").value(sum.exempt).key("worst").begin_array();
  for (std::size_t i = 0; i < devices->size() && i < kWorstDevices && (*devices)[i].lost() > 0; ++i) {
    write_device(out, (*devices)[i]);
  }
  out.end_array().key("trend").begin_array();
  for (const state::DayScore& day : *trend) {
    if (day.day != now.day) write_day(out, day);
  }
  write_day(out, now);
  return Response::json(out.end_array().end_object().take());
}

Answer list_device_scores(Call& call) {
  auto* posture = call.parts.services.posture;
  if (posture == nullptr) return not_offered();
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto cursor, open_cursor(call));
  API_TRY(const auto group, text_parameter(call, "group", 128));
  const auto devices = posture->scores(call.parts.services.hub, group, call.now());
  if (!devices) return api_error(devices.error(), "posture");
  std::size_t from = 0;
  std::from_chars(cursor.data(), cursor.data() + cursor.size(), from);
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  const std::size_t end = std::min(devices->size(), from + limit);
  for (std::size_t i = std::min(from, end); i < end; ++i) write_device(out, (*devices)[i]);
  out.end_array().key("total").value(static_cast<std::uint64_t>(devices->size()));
  if (end < devices->size()) out.key("next_cursor").value(seal_cursor(call, std::to_string(end)));
  return Response::json(out.end_object().take());
}

Answer get_device_score(Call& call) {
  auto* posture = call.parts.services.posture;
  if (posture == nullptr) return not_offered();
  const std::string& hub = call.parts.services.hub;
  const auto device = posture->score(hub, call.path_values[0], call.now());
  if (!device) return api_error(device.error(), "posture");
  if (!*device) return std::unexpected(ApiError{.code = "not_found", .target = "device"});
  const auto trend = posture->device_trend(hub, (*device)->device_id, (*device)->lost(), call.now());
  if (!trend) return api_error(trend.error(), "posture");
  JsonWriter out;
  out.begin_object();
  write_members(out, **device);
  out.key("formula").value(kFormula).key("trend").begin_array();
  for (const state::DeviceDay& day : *trend) {
    out.begin_object()
        .key("day")
        .value(day.day)
        .key("score")
        .value(day.score())
        .key("lost")
        .value(day.lost)
        .end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Answer list_exemptions(Call& call) {
  auto* posture = call.parts.services.posture;
  if (posture == nullptr) return not_offered();
  const auto all = posture->exemptions(call.parts.services.hub);
  if (!all) return api_error(all.error(), "exemptions");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::Exemption& one : *all) write_exemption(out, one, call.now());
  return Response::json(out.end_array().end_object().take());
}

Answer create_exemption(Call& call) {
  auto* posture = call.parts.services.posture;
  if (posture == nullptr) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"type", "deviceId", "group", "reason", "until"}));
  API_TRY(const auto type, body.required_text("type", 160));
  API_TRY(const auto device, body.text("deviceId", 128));
  API_TRY(const auto group, body.text("group", 128));
  API_TRY(const auto reason, body.required_text("reason", state::Posture::kReasonBytesMax));
  API_TRY(const auto until, body.text("until", 64));
  // A name with a slip would be an exemption that never exempts anything.
  if (!is_type(type)) return std::unexpected(invalid("type", "There is no recommendation of this type."));
  if (device && !device->empty()) {
    const auto known = call.parts.services.devices.find(call.parts.services.hub, *device);
    if (!known) return std::unexpected(invalid("deviceId", "There is no such device."));
    if (group && !group->empty() && known->group != *group) {
      return std::unexpected(invalid("group", "The device is not in this group; leave the group out."));
    }
  }
  state::Exemption made;
  made.type = type;
  made.hub = call.parts.services.hub;
  made.device_id = device.value_or("");
  made.security_group = group.value_or("");
  made.reason = reason;
  if (until && !until->empty()) {
    const auto time = parse_rfc3339(*until);
    if (!time) return std::unexpected(invalid("until", "This must be a time, such as 2027-01-31T00:00:00Z."));
    if (*time <= call.now()) return std::unexpected(invalid("until", "This time has passed."));
    made.until = *time;
  }
  const auto done = posture->exempt(std::move(made), call.actor(), call.now());
  if (!done) return api_error(done.error(), "exemption");
  JsonWriter out;
  write_exemption(out, *done, call.now());
  return Response::json(out.take(), 201);
}

Answer delete_exemption(Call& call) {
  auto* posture = call.parts.services.posture;
  if (posture == nullptr) return not_offered();
  const auto removed = posture->restore(call.parts.services.hub, call.path_values[0], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "exemption");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "exemption"});
  return Response::empty();
}

}  // namespace picket::api
