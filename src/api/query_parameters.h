// Values for `declare query_parameters` as clients send them: texts, to which the query gives types.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "http.h"
#include "kql/compile.h"

namespace picket::api {

/// Each of `texts` as the type that `query` declares for it. A text may be the value itself or a literal of the
/// language: abc, "abc", 5, long(5), 2026-01-02, datetime(2026-01-02), 1h, time(1h). Names that are not declared are
/// left out. Errors: query_arguments (a text that is no value of its type).
std::expected<std::map<std::string, kql::Value, std::less<>>, ApiError> query_parameters(
    std::string_view query, const std::map<std::string, std::string, std::less<>>& texts);

}  // namespace picket::api
