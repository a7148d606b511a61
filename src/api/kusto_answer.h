// Kusto's shapes of answers: v1 tables, v2 frames (whole, in fragments, progressive), errors.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "kql_run.h"
#include "kusto_commands.h"

namespace picket::api {

/// DataType of a v1 column: the .NET name.
std::string_view dotnet_type(kql::Type type);

/// What an answer says about itself.
struct KustoContext {
  std::string client_request_id;
  std::string activity_id;
  std::string database;
  Timestamp now;
};

/// One error object in Kusto's form ("OneApiError").
std::string kusto_error_json(const KustoContext& context, const ApiError& error, bool permanent);

/// Where a result that was cut says so.
enum class ErrorPlacement { in_data, end_of_table, end_of_dataset };

/// What a client asks about the shape of frames.
struct KustoStyle {
  bool progressive = false;
  bool fragmented = false;  ///< Rows in fragments behind a header, though not progressive.
  bool newlines = false;    ///< Each frame on a line of its own.
  ErrorPlacement errors = ErrorPlacement::in_data;
  bool errors_deferred = false;  ///< Only the table of events tells of errors.
};

/// One request's results. `limits` tell why rows are missing where they are. `tables` is not empty.
std::string kusto_v1(std::span<const KqlTable> tables, const KustoContext& context, const RunLimits& limits,
                     bool errors_deferred);
std::string kusto_v2(std::span<const KqlTable> tables, const KustoContext& context, const RunLimits& limits,
                     const KustoStyle& style);
std::string kusto_v1(const CommandTable& table);

}  // namespace picket::api
