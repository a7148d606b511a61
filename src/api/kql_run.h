// Runs KQL: text to SQL (kql), SQL to rows (workspace), mistakes to API errors.
#pragma once

#include <expected>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "api/services.h"
#include "base/core/json_writer.h"
#include "http.h"
#include "kql/compile.h"

namespace picket::api {

struct KqlTable {
  std::vector<kql::ResultColumn> columns;
  workspace::QueryResult result;
};

/// Errors: query_…, query_limit, query_failed, busy, internal.
std::expected<KqlTable, ApiError> run_kql(const Services& services, std::string_view query, const kql::Options& options,
                                          std::size_t rows_max, const std::stop_token& stopping);

/// Writes one value as the OpenAPI document's QueryResult says.
void write_value(JsonWriter& out, kql::Type type, const workspace::Cell& cell);

/// "PT1H", "P1DT2H30M" back from `now`, or "start/end". nullopt: neither.
std::optional<kql::TimeRange> parse_timespan(std::string_view text, Timestamp now);

/// A byte range of `text` in UTF-16 code units, as editors count.
TextSpan to_utf16(const kql::Span& span, std::string_view text);

}  // namespace picket::api
