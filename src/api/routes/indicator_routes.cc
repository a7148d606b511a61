// Threat intelligence: feeds, indicators of the operator's own, look-ups, retro-hunts.
#include <algorithm>

#include "../json_body.h"
#include "../paging.h"
#include "api/indicators.h"
#include "base/core/encoding.h"
#include "base/core/json_reader.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "intelligence/feed.h"
#include "intelligence/matcher.h"
#include "state/intelligence.h"

namespace picket::api {
namespace {

constexpr std::size_t kSecretBytesMax = 4096;
constexpr std::size_t kValueBytesMax = 2048;
constexpr std::int64_t kHuntDaysMax = 365;

/// Both parts, or 501.
struct IndicatorParts {
  IndicatorDesk& desk;
  state::Intelligence& state;
};
std::expected<IndicatorParts, ApiError> parts_of(const Call& call) {
  const Services& services = call.parts.services;
  if (services.indicators == nullptr || services.intelligence_state == nullptr) {
    return std::unexpected(ApiError{.code = "not_implemented"});
  }
  return IndicatorParts{*services.indicators, *services.intelligence_state};
}

void write_time(JsonWriter& out, std::string_view name, Timestamp time) {
  if (time.us != 0) out.key(name).value(time);
}

/// Settings and status as one object; cursors and validators are our own business.
void write_feed(JsonWriter& out, const state::FeedRow& row, bool has_secret) {
  const auto status = intelligence::parse_feed_status(row.status);
  out.begin_object().key("name").value(row.name).key("settings").raw(row.settings);
  out.key("hasSecret").value(has_secret).key("changed").value(row.changed);
  write_time(out, "tried", status.tried);
  write_time(out, "read", status.read);
  write_time(out, "updated", status.changed);
  out.key("fault").value(status.fault).key("indicators").value(status.indicators);
  out.key("keptOut").value(status.kept_out).key("skipped").value(status.report.skipped).key("reasons").begin_array();
  for (const intelligence::Skip& skip : status.report.reasons) {
    out.begin_object().key("reason").value(skip.reason).key("count").value(skip.count);
    out.key("example").value(skip.example).end_object();
  }
  out.end_array().end_object();
}

void record(Call& call, std::string_view kind, std::string_view object) {
  JsonWriter body;
  body.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  body.key("object").value(object).end_object();
  static_cast<void>(call.parts.services.outbox.record(kind, "", body.take(), call.now()));
}

struct FeedBody {
  intelligence::FeedSettings settings;
  std::optional<std::string> secret;
};
/// The settings, and beside them "secret", which never becomes one of them.
std::expected<FeedBody, ApiError> feed_body(const Call& call) {
  const auto json = parse_json(call.request.body);
  if (!json || json->kind() != Json::Kind::object) return std::unexpected(ApiError{.code = "invalid_json"});
  FeedBody out;
  JsonWriter rest;
  rest.begin_object();
  bool secret_ok = true;
  json->for_members([&](std::string_view name, const Json& value) {
    if (name != "secret") {
      rest.key(name).raw(value.raw());
    } else if (value.kind() != Json::Kind::null) {
      out.secret = value.text();
      secret_ok = out.secret && out.secret->size() <= kSecretBytesMax &&
                  std::ranges::all_of(*out.secret, [](char c) { return c > ' ' && c < 0x7F; });
    }
  });
  if (!secret_ok) return std::unexpected(invalid("secret", "This must be printable text without blanks."));
  auto settings = intelligence::parse_feed_settings(call.path_values[0], rest.end_object().take());
  if (!settings) return std::unexpected(invalid(settings.error().member, settings.error().text));
  out.settings = *std::move(settings);
  return out;
}

void write_indicator(JsonWriter& out, const state::OwnIndicatorRow& row) {
  out.begin_object().key("kind").value(row.kind).key("value").value(row.value).key("allowed").value(row.allowed);
  out.key("confidence").value(std::uint64_t{row.confidence}).key("threat").value(row.threat);
  out.key("reference").value(row.reference).key("user").value(row.user).key("added").value(row.added);
  write_time(out, "until", row.until);
  out.end_object();
}

void write_look_up(JsonWriter& out, const IndicatorLookUp& found) {
  out.key("kind").value(found.kind).key("value").value(found.value);
  out.key("listed").value(!found.indicator.empty()).key("indicator").value(found.indicator);
  out.key("indicatorKind").value(found.indicator_kind).key("warningList").value(found.warning);
  out.key("sources").begin_array();
  for (const IndicatorSource& source : found.sources) {
    out.begin_object().key("feed").value(source.feed).key("licence").value(source.licence);
    out.key("confidence").value(std::uint64_t{source.confidence}).key("threat").value(source.threat);
    out.key("reference").value(source.reference);
    write_time(out, "from", source.from);
    write_time(out, "until", source.until);
    out.end_object();
  }
  out.end_array();
}

}  // namespace

Answer list_feeds(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  const auto feeds = parts.state.feeds();
  if (!feeds) return api_error(feeds.error(), "feeds");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::FeedRow& row : *feeds) write_feed(out, row, parts.desk.has_secret(row.name));
  return Response::json(out.end_array().end_object().take());
}

Answer get_feed(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  const auto row = parts.state.find_feed(call.path_values[0]);
  if (!row) return api_error(row.error(), "feed");
  JsonWriter out;
  write_feed(out, *row, parts.desk.has_secret(row->name));
  return Response::json(out.take());
}

Answer put_feed(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  API_TRY(const auto body, feed_body(call));
  const std::string& name = call.path_values[0];
  const auto made = parts.state.put_feed(name, to_json(body.settings), call.actor(), call.now());
  if (!made) return api_error(made.error(), "feed");
  if (body.secret) {
    if (const auto kept = parts.desk.set_secret(name, *body.secret); !kept) return api_error(kept.error(), "secret");
  }
  parts.desk.changed();
  if (!body.settings.source.empty() && body.settings.enabled) {
    if (const auto asked = parts.desk.refresh(name, !*made); !asked) return api_error(asked.error(), "feed");
  }
  const auto row = parts.state.find_feed(name);
  if (!row) return api_error(row.error(), "feed");
  JsonWriter out;
  write_feed(out, *row, parts.desk.has_secret(name));
  return Response::json(out.take(), *made ? 201 : 200);
}

Answer delete_feed(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  const auto removed = parts.state.remove_feed(call.path_values[0], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "feed");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "feed"});
  parts.desk.forget(call.path_values[0]);
  return Response::empty();
}

Answer refresh_feed(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  const auto row = parts.state.find_feed(call.path_values[0]);
  if (!row) return api_error(row.error(), "feed");
  const auto asked = parts.desk.refresh(row->name, call.parameter("force") == "true");
  if (!asked) return api_error(asked.error(), "feed");
  record(call, "intelligence.feed.refresh", row->name);
  return Response{.status = 202};
}

Answer put_feed_content(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  const auto row = parts.state.find_feed(call.path_values[0]);
  if (!row) return api_error(row.error(), "feed");
  const auto taken = parts.desk.upload(row->name, call.request.body, call.parameter("force") == "true");
  record(call, taken ? "intelligence.feed.upload" : "intelligence.feed.upload_failed", row->name);
  if (!taken) return std::unexpected(invalid("content", taken.error()));
  const auto after = parts.state.find_feed(row->name);
  if (!after) return api_error(after.error(), "feed");
  JsonWriter out;
  write_feed(out, *after, parts.desk.has_secret(row->name));
  return Response::json(out.take());
}

Answer get_indicator_set(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  const IndicatorSetState set = parts.desk.set();
  JsonWriter out;
  out.begin_object().key("version").value(set.version).key("indicators").value(set.indicators);
  out.key("warnings").value(set.warnings).key("bytes").value(set.file_bytes).key("building").value(set.building);
  write_time(out, "made", set.made);
  out.key("byKind").begin_object();
  for (const auto& [kind, count] : set.by_kind) out.key(kind).value(count);
  return Response::json(out.end_object().end_object().take());
}

Answer look_up_indicator(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  API_TRY(const auto value, text_parameter(call, "value", kValueBytesMax));
  const IndicatorLookUp found = parts.desk.look_up(value);
  if (found.kind.empty()) {
    return std::unexpected(invalid("value", "This is no address, network, name, URL, path or hash."));
  }
  JsonWriter out;
  out.begin_object();
  write_look_up(out, found);
  return Response::json(out.end_object().take());
}

Answer list_indicators(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto cursor, open_cursor(call));
  const auto blank = cursor.find(' ');
  const std::string kind = cursor.substr(0, std::min(blank, cursor.size()));
  const std::string value = blank == std::string::npos ? std::string() : cursor.substr(blank + 1);
  const auto rows = parts.state.indicators(kind, value, limit + 1);
  if (!rows) return api_error(rows.error(), "indicators");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < std::min(rows->size(), limit); ++i) write_indicator(out, (*rows)[i]);
  out.end_array();
  if (rows->size() > limit) {
    const auto& last = (*rows)[limit - 1];
    out.key("cursor").value(seal_cursor(call, last.kind + " " + last.value));
  }
  return Response::json(out.end_object().take());
}

Answer add_indicator(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  API_TRY(const auto body,
          JsonBody::parse(call.request, {"value", "kind", "confidence", "allowed", "until", "threat", "reference"}));
  API_TRY(const auto value, body.required_text("value", kValueBytesMax));
  API_TRY(const auto kind, body.text("kind", 64));
  API_TRY(const auto confidence, body.number("confidence", 1, 100));
  API_TRY(const auto allowed, body.json("allowed", 8));
  API_TRY(const auto until, body.text("until", 64));
  API_TRY(const auto threat, body.text("threat", intelligence::kThreatBytesMax));
  API_TRY(const auto reference, body.text("reference", intelligence::kReferenceBytesMax));
  const auto said = kind ? intelligence::parse_kind(*kind) : std::nullopt;
  if (kind && !said) return std::unexpected(invalid("kind", "There is no such kind."));
  const auto what = said ? intelligence::parse_as(*said, value) : intelligence::parse_observable(value);
  if (!what) return std::unexpected(invalid("value", "This is no address, network, name, URL, path or hash."));
  state::OwnIndicatorRow row{.kind = std::string(to_string(what->kind)), .value = to_text(*what)};
  row.confidence = static_cast<std::uint8_t>(confidence.value_or(100));
  if (allowed && *allowed != "true" && *allowed != "false") {
    return std::unexpected(invalid("allowed", "This must be true or false."));
  }
  row.allowed = allowed == "true";
  if (until) {
    const auto time = intelligence::parse_feed_time(*until);
    if (!time || *time <= call.now()) return std::unexpected(invalid("until", "This must be a time to come."));
    row.until = *time;
  }
  row.threat = threat.value_or("");
  row.reference = reference.value_or("");
  row.user = call.caller.user;
  row.added = call.now();
  const auto made = parts.state.put_indicator(row, call.actor());
  if (!made) return api_error(made.error(), "indicator");
  const std::string warning = row.allowed ? std::string() : parts.desk.look_up(value).warning;
  parts.desk.changed();
  JsonWriter out;
  out.begin_object().key("kind").value(row.kind).key("value").value(row.value).key("warningList").value(warning);
  return Response::json(out.end_object().take(), *made ? 201 : 200);
}

Answer delete_indicator(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  const auto removed = parts.state.remove_indicator(call.path_values[0], call.path_values[1], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "indicator");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "indicator"});
  parts.desk.changed();
  return Response::empty();
}

Answer list_retro_hunts(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  const auto hunts = parts.state.hunts();
  if (!hunts) return api_error(hunts.error(), "hunts");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::RetroHuntRow& row : *hunts) {
    out.begin_object().key("id").value(row.id).key("status").value(row.status).key("set").value(row.version);
    out.key("days").value(std::uint64_t{row.days}).key("started").value(row.started);
    write_time(out, "finished", row.finished);
    out.key("hits").value(row.hits).key("note").value(row.note).end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Answer start_retro_hunt(Call& call) {
  API_TRY(const auto parts, parts_of(call));
  API_TRY(const auto body, JsonBody::parse(call.request, {"days"}));
  API_TRY(const auto days, body.number("days", 1, kHuntDaysMax));
  const auto id = parts.desk.hunt(static_cast<std::uint32_t>(days.value_or(30)));
  if (!id) return api_error(id.error(), "hunt");
  record(call, "intelligence.hunt", *id);
  JsonWriter out;
  out.begin_object().key("id").value(*id);
  return Response::json(out.end_object().take(), 202);
}

}  // namespace picket::api
