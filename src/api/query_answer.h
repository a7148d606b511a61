// Results of queries in our own JSON (schema/openapi.yaml, QueryResult).
#pragma once

#include <span>
#include <string>

#include "base/core/json_writer.h"
#include "kql_run.h"

namespace picket::api {

/// The members of one result: columns, rows, render, stats; inside of an object that the caller begins and ends.
void write_result(JsonWriter& out, const KqlTable& table, const RunLimits& limits);

/// All results of a request: the first as the object itself, the others in its list `more`. `tables` is not empty.
std::string results_json(std::span<const KqlTable> tables, const RunLimits& limits);

}  // namespace picket::api
