// What Kusto's two shapes of answers have in common.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/core/json_writer.h"
#include "kusto_answer.h"

namespace picket::api {

inline constexpr std::string_view kKustoCutCode = "E_QUERY_RESULT_SET_TOO_LARGE";

/// {"ExecutionTime", "dataset_statistics"} of all results.
std::string kusto_statistics(std::span<const KqlTable> tables);

/// Why rows are missing, of the first table that lacks some; empty: none are.
std::string kusto_cut(std::span<const KqlTable> tables, const RunLimits& limits);

void write_kusto_row(JsonWriter& out, const KqlTable& table, std::size_t row, Dialect dialect);

}  // namespace picket::api
