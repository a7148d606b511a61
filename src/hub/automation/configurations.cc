// The REST side of configurations.
#include "hub/configurations.h"

#include <fmt/format.h>

#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "configuration_content.h"
#include "hub/query.h"
#include "state/outbox.h"

namespace picket::hub {
namespace {

std::string fresh_etag() {
  const std::uint64_t number = random_u64();
  return to_base64(std::as_bytes(std::span(&number, 1)));
}

std::string_view unquoted(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return etag;
}

HubError missing(std::string_view id) {
  return {kConfigurationNotFound, fmt::format("There is no configuration '{}'.", id.substr(0, 128))};
}

HubResult<JsonValue> parse_body(std::string_view body) {
  auto parsed = parse_json(body, {.bytes_max = kConfigurationBodyBytesMax, .depth_max = 24});
  if (!parsed) {
    const bool large = parsed.error().where == "json.size";
    return hub_fail(large ? kTooLarge : kArgumentInvalid, "The body: " + explain_json(parsed.error()));
  }
  if (parsed->object() == nullptr) return hub_fail(kArgumentInvalid, "The body must be a JSON object.");
  return *std::move(parsed);
}

// A member that must be an object of texts.
HubResult<JsonObject> texts_of(const JsonValue* member, std::string_view where, std::size_t count_max) {
  if (member == nullptr || member->is_null()) return JsonObject();
  const JsonObject* const object = member->object();
  if (object == nullptr) return hub_fail(kArgumentInvalid, fmt::format("{} must be a JSON object.", where));
  if (object->size() > count_max)
    return hub_fail(kTooLarge, fmt::format("{} has more than {} members.", where, count_max));
  for (const JsonMember& one : object->members()) {
    if (one.value.string() == nullptr)
      return hub_fail(kArgumentInvalid, fmt::format("{}.{} must be text.", where, one.key.substr(0, 100)));
  }
  return *object;
}

HubResult<Query> parse_metric(std::string_view text) {
  auto query = Query::compile(text);
  if (query && query->source == QuerySource::jobs) {
    return hub_fail(kArgumentInvalid, "a metric reads devices or devices.modules, not jobs.");
  }
  return query;
}

HubResult<JsonObject> parse_metrics(const JsonValue* metrics) {
  if (metrics == nullptr || metrics->is_null()) return JsonObject();
  auto queries = texts_of(metrics->find("queries"), "metrics.queries", kConfigurationMetricsMax);
  if (!queries) return queries;
  for (const JsonMember& one : queries->members()) {
    const auto query = parse_metric(*one.value.string());
    if (!query)
      return hub_fail(kArgumentInvalid,
                      fmt::format("metrics.queries.{}: {}", one.key.substr(0, 100), query.error().message));
  }
  return queries;
}

struct ParsedConfiguration {
  JsonObject body;
  bool has_content = false;
  bool reads_reported = false;
};

HubResult<ParsedConfiguration> parse_configuration(std::string_view text) {
  const auto given = parse_body(text);
  if (!given) return std::unexpected(given.error());
  ParsedConfiguration out;
  auto target = parse_target_condition(given->text_of("targetCondition"));
  if (!target) return std::unexpected(target.error());
  out.reads_reported = target->reads_reported();
  const auto content = parse_configuration_content(given->find("content"));
  if (!content) return std::unexpected(content.error());
  if (!content->module.empty() && target->scope != TargetScope::modules) {
    return hub_fail(kArgumentInvalid,
                    "moduleContent needs a targetCondition of modules: FROM devices.modules WHERE ...");
  }
  if ((!content->device.empty() || !content->modules.empty()) && target->scope == TargetScope::modules) {
    return hub_fail(kArgumentInvalid, "A targetCondition of modules needs moduleContent.");
  }
  auto labels = texts_of(given->find("labels"), "labels", 50);
  if (!labels) return std::unexpected(labels.error());
  auto queries = parse_metrics(given->find("metrics"));
  if (!queries) return std::unexpected(queries.error());
  const JsonValue* const priority = given->find("priority");
  const auto number = given->integer_of("priority");
  const bool given_priority = priority != nullptr && !priority->is_null();
  if (given_priority && (!number || *number < 0 || *number > 2'147'483'647)) {
    return hub_fail(kArgumentInvalid, "priority must be a whole number from 0 to 2147483647.");
  }
  const std::string_view schema = given->text_of("schemaVersion");
  out.body.set("schemaVersion", schema.empty() ? std::string_view("1.0") : schema);
  out.body.set("labels", *std::move(labels));
  out.body.set("targetCondition", given->text_of("targetCondition"));
  out.body.set("priority", number.value_or(0));
  JsonObject metrics;
  metrics.set("queries", *std::move(queries));
  out.body.set("metrics", std::move(metrics));
  out.has_content = given->find("content") != nullptr && given->find("content")->object() != nullptr;
  out.body.set("content", out.has_content ? *given->find("content") : JsonValue(JsonObject()));
  return out;
}

JsonValue system_metrics(std::string_view id, std::string_view condition, const state::Configurations::Counts& counts) {
  JsonObject results;
  results.set("targetedCount", counts.targeted);
  results.set("appliedCount", counts.applied);
  std::string targeted = "select deviceId from devices";
  if (condition.starts_with("FROM ") || condition.starts_with("from ")) {
    targeted = "select deviceId, moduleId " + std::string(condition);
  } else if (condition != "*") {
    targeted += condition.empty() ? " where false" : " where " + std::string(condition);
  }
  JsonObject queries;
  queries.set("targetedCount", targeted);
  queries.set("appliedCount",
              fmt::format("select deviceId from devices where configurations.[[{}]].status = 'Applied'", id));
  JsonObject out;
  out.set("results", std::move(results));
  out.set("queries", std::move(queries));
  return out;
}

HubResult<JsonValue> show(const state::ConfigurationRow& row, const state::Configurations::Counts& counts) {
  auto parsed = parse_json(row.body, {.bytes_max = 4 * kConfigurationBodyBytesMax, .depth_max = 32});
  const auto results = parse_json(row.metrics);
  if (!parsed || parsed->object() == nullptr || !results)
    return hub_fail(kInternal, "The stored configuration cannot be read.");
  JsonObject& out = *parsed->object();
  out.set("id", row.id);
  out.set("etag", row.etag);
  out.set("createdTimeUtc", format_rfc3339(row.created));
  out.set("lastUpdatedTimeUtc", format_rfc3339(row.updated));
  out.set("systemMetrics", system_metrics(row.id, JsonValue(out).text_of("targetCondition"), counts));
  if (JsonValue* const metrics = out.find("metrics"); metrics != nullptr && metrics->object() != nullptr) {
    metrics->object()->set("results", *results);
  }
  return *std::move(parsed);
}

std::string audit(const state::Actor& actor, std::string_view hub, std::string_view id, std::string_view etag) {
  JsonWriter out;
  out.begin_object().key("actor").value(actor.user).key("source").value(actor.source).key("hub").value(hub);
  return out.key("configuration").value(id).key("etag").value(etag).end_object().take();
}

// A write whose body may refuse with an error of its own.
template <class T>
struct Write {
  std::optional<HubError> failed;
  T value{};
  Result<> refuse(HubError error) {
    failed = std::move(error);
    return fail(Errc::denied, "configuration");
  }
  HubResult<T> result(const Result<>& done) {
    if (failed) return std::unexpected(*std::move(failed));
    if (!done) return std::unexpected(from_store(done.error(), "The configuration"));
    return std::move(value);
  }
};

HubResult<> check_etag(std::string_view wanted, const state::ConfigurationRow& row) {
  const std::string_view etag = unquoted(wanted);
  if (etag.empty() || etag == "*" || etag == row.etag) return {};
  return hub_fail(kEtagMismatch, "The configuration was changed in the meantime: its etag is not the one of If-Match.");
}

}  // namespace

Configurations::Configurations(state::Database& database, Twins& twins, const Clock& clock)
    : database_(database), store_(database), twins_(twins), clock_(clock) {}
Configurations::~Configurations() = default;

void Configurations::get(std::string_view hub, std::string_view id, Done<std::string> done) const {
  const auto row = store_.find(hub, id);
  if (!row && row.error().code == Errc::not_found) return done(std::unexpected(missing(id)));
  if (!row) return done(std::unexpected(from_store(row.error(), "The configuration")));
  const auto counts = store_.counts(hub, id);
  if (!counts) return done(std::unexpected(from_store(counts.error(), "The configuration")));
  const auto shown = show(*row, *counts);
  if (!shown) return done(std::unexpected(shown.error()));
  done(shown->to_string());
}

void Configurations::list(std::string_view hub, std::size_t count_max, Done<std::string> done) const {
  const auto rows = store_.list(hub);
  if (!rows) return done(std::unexpected(from_store(rows.error(), "The configurations")));
  JsonArray out;
  for (const state::ConfigurationRow& row : *rows) {
    if (count_max != 0 && out.size() == count_max) break;
    const auto counts = store_.counts(hub, row.id);
    if (!counts) return done(std::unexpected(from_store(counts.error(), "The configurations")));
    auto shown = show(row, *counts);
    if (!shown) return done(std::unexpected(shown.error()));
    out.push_back(*std::move(shown));
  }
  done(JsonValue(std::move(out)).to_string());
}

void Configurations::put(std::string_view hub, std::string_view id, std::string_view body, std::string if_match,
                         state::Actor actor, Done<std::string> done) {
  if (!is_identifier(id)) {
    return done(hub_fail(kArgumentInvalid,
                         "A configuration's id is 1 to 128 of A-Z a-z 0-9 - . % _ # * ? ! ( ) , : = @ $ ' +."));
  }
  auto parsed = parse_configuration(body);
  if (!parsed) return done(std::unexpected(parsed.error()));
  auto write = std::make_shared<Write<state::ConfigurationRow>>();
  state::ConfigurationRow& row = write->value;
  row.hub = hub;
  row.id = id;
  row.reads_reported = parsed->reads_reported;
  row.etag = fresh_etag();
  row.metrics = "{}";
  database_.submit(
      [this, write, parsed = *std::move(parsed), if_match = std::move(if_match),
       actor](sqlite3* db) mutable -> Result<> {
        state::ConfigurationRow& next = write->value;
        TRY(const auto before, state::Configurations::find_in(db, next.hub, next.id));
        if (before && if_match.empty()) {
          return write->refuse(
              {kDeviceExists, "A configuration with this id exists already; send If-Match to change it."});
        }
        if (!before && !if_match.empty() && unquoted(if_match) != "*") return write->refuse(missing(next.id));
        if (before) {
          if (auto matched = check_etag(if_match, *before); !matched) return write->refuse(matched.error());
        }
        TRY(const std::uint64_t count, state::Configurations::count_in(db, next.hub));
        if (!before && count >= kConfigurationsMax) {
          return write->refuse({kQuotaExceeded, "The hub has 100 configurations; remove one first."});
        }
        next.updated = clock_.now();
        next.created = before ? before->created : next.updated;
        if (before && !parsed.has_content) {  // absent: as it was
          if (const auto old = parse_json(before->body); old && old->find("content") != nullptr) {
            parsed.body.set("content", *old->find("content"));
          }
        }
        next.body = JsonValue(parsed.body).to_string();
        TRY_VOID(state::Configurations::put(db, next));
        return state::Outbox::add(db, before ? "configuration.update" : "configuration.create", "",
                                  audit(actor, next.hub, next.id, next.etag), next.updated);
      },
      [this, write, done = std::move(done)](Result<> end) mutable {
        const auto row_result = write->result(end);
        if (!row_result) return done(std::unexpected(row_result.error()));
        metrics_due_ = true;
        const auto counts = store_.counts(row_result->hub, row_result->id);
        const auto shown = show(*row_result, counts ? *counts : state::Configurations::Counts());
        if (!shown) return done(std::unexpected(shown.error()));
        done(shown->to_string());
      });
}

void Configurations::remove(std::string_view hub, std::string_view id, std::string if_match, state::Actor actor,
                            Done<> done) {
  auto write = std::make_shared<Write<bool>>();
  database_.submit(
      [this, write, hub = std::string(hub), id = std::string(id), if_match = std::move(if_match),
       actor](sqlite3* db) -> Result<> {
        TRY(const auto before, state::Configurations::find_in(db, hub, id));
        if (!before) return write->refuse(missing(id));
        if (auto matched = check_etag(if_match, *before); !matched) return write->refuse(matched.error());
        TRY_VOID(state::Configurations::remove(db, hub, id));
        return state::Outbox::add(db, "configuration.delete", "", audit(actor, hub, id, before->etag), clock_.now());
      },
      [write, done = std::move(done)](Result<> end) mutable {
        const auto result = write->result(end);
        if (!result) return done(std::unexpected(result.error()));
        done({});
      });
}

HubResult<std::string> Configurations::test_queries(std::string_view body) {
  const auto given = parse_body(body);
  if (!given) return std::unexpected(given.error());
  JsonObject out;
  const auto target = parse_target_condition(given->text_of("targetCondition"));
  out.set("targetConditionError", target ? JsonValue() : JsonValue(target.error().message));
  auto queries = texts_of(given->find("customMetricQueries"), "customMetricQueries", kConfigurationMetricsMax);
  if (!queries) return std::unexpected(queries.error());
  JsonObject errors;
  for (const JsonMember& one : queries->members()) {
    const auto query = parse_metric(*one.value.string());
    if (!query) errors.set(one.key, query.error().message);
  }
  out.set("customMetricQueryErrors", std::move(errors));
  return JsonValue(std::move(out)).to_string();
}

}  // namespace picket::hub
