#include "../json_body.h"
#include "../kql_run.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "message/event_table.h"

namespace picket::api {
namespace {

constexpr std::int64_t kRowsDefault = 10'000;
constexpr std::int64_t kRowsMax = 500'000;

std::string result_json(const KqlTable& table, Duration elapsed) {
  JsonWriter out;
  out.begin_object().key("columns").begin_array();
  for (const kql::ResultColumn& column : table.columns) {
    out.begin_object().key("name").value(column.name).key("type").value(to_string(column.type)).end_object();
  }
  out.end_array().key("rows").begin_array();
  for (std::size_t row = 0; row < table.result.rows; ++row) {
    out.begin_array();
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      write_value(out, table.columns[column].type, table.result.at(row, column));
    }
    out.end_array();
  }
  out.end_array().key("stats").begin_object().key("elapsed_ms").value(static_cast<double>(elapsed.us) / 1000.0);
  out.key("rows").value(std::uint64_t{table.result.rows}).key("truncated").value(table.result.truncated).end_object();
  return out.end_object().take();
}

}  // namespace

Answer run_query(Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"query", "timespan", "max_rows"}));
  API_TRY(const auto query, body.required_text("query", kql::kQueryBytesMax));
  API_TRY(const auto timespan, body.text("timespan", 128));
  API_TRY(const auto rows_max, body.number("max_rows", 1, kRowsMax));
  kql::Options options{.now = call.now()};
  if (timespan && !timespan->empty()) {
    options.time_range = parse_timespan(*timespan, call.now());
    if (!options.time_range)
      return std::unexpected(invalid("timespan", "This must be a duration such as PT1H or an interval of two times."));
  }
  const Duration begin = call.parts.services.clock.monotonic();
  const auto table = run_kql(call.parts.services, query, options,
                             static_cast<std::size_t>(rows_max.value_or(kRowsDefault)), call.parts.stopping);
  if (!table) return std::unexpected(table.error());
  return Response::json(result_json(*table, call.parts.services.clock.monotonic() - begin));
}

Answer get_schema(Call& call) {
  JsonWriter out;
  out.begin_object().key("tables").begin_array();
  for (const kql::Table& table : call.parts.services.kql_schema.tables) {
    out.begin_object().key("name").value(table.name).key("columns").begin_array();
    for (const kql::Column& column : table.columns) {
      out.begin_object().key("name").value(column.name).key("type").value(to_string(column.type)).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().key("event_names").begin_array();
  for (const message::EventInfo& event : message::all_events()) {
    if (!event.name.empty()) out.value(event.name);
  }
  return Response::json(out.end_array().end_object().take());
}

}  // namespace picket::api
