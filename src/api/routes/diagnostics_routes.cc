// The operations log of a hub as lines of Azure's resource logs, whether or not a setting sends them anywhere.
#include <algorithm>
#include <charconv>

#include "../json_body.h"
#include "../kql_run.h"
#include "handlers.h"
#include "hub/hub_settings.h"
#include "pipeline/diagnostic_record.h"
#include "workspace/workspace.h"

namespace picket::api {
namespace {

constexpr std::size_t kRowsDefault = 1000;
constexpr std::size_t kRowsMax = 10'000;
constexpr std::size_t kBytesMax = 16U << 20;
constexpr std::string_view kFailed = "_failed";

struct Wanted {
  std::string hub;
  std::optional<std::string> category;
  kql::TimeRange range;
  std::size_t rows = kRowsDefault;
};

std::expected<Wanted, ApiError> wanted_of(const Call& call) {
  Wanted out{.hub = call.path_values[0], .category = call.parameter("category"), .range = {}};
  const auto known = hub::diagnostic_categories();
  if (out.category && std::ranges::find(known, std::string_view(*out.category)) == known.end())
    return std::unexpected(invalid("category", "There is no such category."));
  const auto range = parse_timespan(call.parameter("timespan").value_or("P1D"), call.now());
  if (!range) return std::unexpected(invalid("timespan", "An ISO 8601 duration, or two times with '/' between."));
  out.range = *range;
  if (const auto limit = call.parameter("limit")) {
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), out.rows);
    if (error != std::errc() || end != limit->data() + limit->size() || out.rows == 0 || out.rows > kRowsMax)
      return std::unexpected(invalid("limit", "1 to 10000."));
  }
  return out;
}

/// A row of HubOperations is the record it was made from, and the columns that stood beside its body.
std::string line_of(const workspace::QueryResult& rows, std::size_t row, const std::string& hub,
                    const pipeline::DiagnosticWanted& source) {
  const auto text = [&](std::size_t column) { return std::string(rows.at(row, column).as_text()); };
  std::string kind = text(1);
  const std::string body = text(4);
  const bool event = body.starts_with("{\"v\":");
  if (!event && kind.ends_with(kFailed)) kind.resize(kind.size() - kFailed.size());  // the body says it again
  const Identity identity{hub, event ? "" : text(2), event ? "" : text(3), ""};
  const journal::Property properties[] = {{"kind", kind}};
  journal::RecordView record;
  record.kind = event ? journal::RecordKind::hub_event : journal::RecordKind::audit;
  record.enqueued = rows.at(row, 0).as_timestamp();
  record.identity = identity;
  record.properties = properties;
  record.body = as_bytes(body);
  const auto line = pipeline::diagnostic_line(record, source);
  return line ? line->json + "\n" : std::string();
}

}  // namespace

/// The newest `limit` of the time span, oldest first. JSON lines.
Answer export_diagnostics(Call& call) {
  const Services& services = call.parts.services;
  if (services.hub_settings == nullptr) return std::unexpected(ApiError{.code = "not_implemented"});
  const auto settings = services.hub_settings->of(call.path_values[0]);
  if (!settings) return std::unexpected(ApiError{.code = "not_found", .target = "hub"});
  API_TRY(const auto wanted, wanted_of(call));
  workspace::QueryRequest request{
      .sql = std::string(R"(SELECT "TimeGenerated", "Kind", coalesce("DeviceId", ''), coalesce("ModuleId", ''), )") +
             R"(coalesce("Details", '') FROM "HubOperations" WHERE "Hub" = $1 AND "TimeGenerated" >= $2 )" +
             R"(AND "TimeGenerated" <= $3 AND ($4 = '' OR "Category" = $4) ORDER BY "TimeGenerated" DESC)",
      .rows_max = wanted.rows,
      .bytes_max = kBytesMax,
      .cancellation = call.parts.stopping,
      .time_from = wanted.range.from,
      .time_to = wanted.range.to};
  const std::string category = wanted.category.value_or("");
  request.binds = {workspace::Cell::text(wanted.hub), workspace::Cell::timestamp(wanted.range.from),
                   workspace::Cell::timestamp(wanted.range.to), workspace::Cell::text(category)};
  const auto rows = services.workspace.query(request);
  if (!rows) {
    using Kind = workspace::QueryError::Kind;
    const bool busy = rows.error().kind == Kind::busy || rows.error().kind == Kind::timeout;
    return std::unexpected(ApiError{.code = busy ? "busy" : "internal"});
  }
  const auto source = [&](std::string_view, std::string_view) {
    return std::optional(pipeline::DiagnosticSource{settings->resource_id, settings->location});
  };
  Response out = Response::json({});
  for (std::size_t row = rows->rows; row > 0; --row) out.body += line_of(*rows, row - 1, wanted.hub, source);
  for (auto& [name, value] : out.headers) {
    if (name == "Content-Type") value = "application/x-ndjson";
  }
  return out;
}

}  // namespace picket::api
