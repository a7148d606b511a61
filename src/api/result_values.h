// Values of query results as the APIs write them, and the time ranges that they take.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/json_writer.h"
#include "http.h"
#include "kql/compile.h"
#include "workspace/rows.h"

namespace picket::api {

/// Whose JSON it is. Ours: dynamic is any JSON, NaN is null. Kusto v2: NaN is text. Kusto v1 and Log Analytics: dynamic
/// is JSON text as well.
enum class Dialect { rest, kusto_v1, kusto_v2, log_analytics };

void write_value(JsonWriter& out, kql::Type type, const workspace::Cell& cell, Dialect dialect = Dialect::rest);

/// "[-][d.]hh:mm:ss[.fffffff]" of ticks.
std::string timespan_text(std::int64_t ticks);

/// "PT1H", "P1DT2H30M" back from `now`; "start/end", "start/PT1H", "PT1H/end". nullopt: none of these.
std::optional<kql::TimeRange> parse_timespan(std::string_view text, Timestamp now);

/// A byte range of `text` in UTF-16 code units, as editors count.
TextSpan to_utf16(const kql::Span& span, std::string_view text);

}  // namespace picket::api
