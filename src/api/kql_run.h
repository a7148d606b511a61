// Runs KQL: text to SQL (kql), SQL to rows (workspace), mistakes to API errors; under the caller's share and limits.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "api/services.h"
#include "http.h"
#include "kql/compile.h"
#include "result_values.h"
#include "running_queries.h"

namespace picket::api {

struct Call;

inline constexpr std::size_t kRowsMax = 500'000;           ///< Of any result.
inline constexpr std::size_t kResultBytesMax = 64U << 20;  ///< Of any result.
inline constexpr Duration kTimeoutMax = Duration::minutes(10);

struct RunLimits {
  std::size_t rows_max = 10'000;
  std::size_t bytes_max = 32U << 20;
  Duration timeout = Duration::seconds(30);
};

struct KqlTable {
  std::vector<kql::ResultColumn> columns;
  workspace::QueryResult result;
  std::shared_ptr<const kql::Plan> plan;
  Duration elapsed{};

  /// "There were more rows than …", files that are lost or damaged; empty: nothing was left out.
  [[nodiscard]] std::string cut_message(const RunLimits& limits) const;

 private:
  [[nodiscard]] std::string cut_limit(const RunLimits& limits) const;
};

/// One query of a caller.
struct QueryOrder {
  std::string text;
  kql::Options options;
  RunLimits limits{};
  std::string api = "rest";
  std::string client_request_id{};
  std::string application{};
  /// Values for `declare query_parameters`, as texts (query_parameters.h).
  std::map<std::string, std::string, std::less<>> parameters{};
};

/// Runs it in the caller's share of queries; ends early when the caller goes away, or somebody cancels it. Blocks.
/// Errors: query_…, query_limit, query_failed, query_cancelled, query_throttled, busy, internal.
/// Gives at least one table: one for each result of the text (several statements, `fork`, `facet`), one after the
/// other, all over the rows of one moment; time and bytes are limits of all together.
std::expected<std::vector<KqlTable>, ApiError> run_order(const Call& call, const QueryOrder& order);

/// As run_order(), where there is place for one result only. Errors also: query_unsupported.
std::expected<KqlTable, ApiError> run_single(const Call& call, const QueryOrder& order);

/// The diagnostic as the APIs tell it: "query_" and its code, with its place in `text`, the request's member `target`.
ApiError from_diagnostic(const kql::Diagnostic& diagnostic, std::string_view text, std::string_view target = "query");

/// A query of the server's own.
std::expected<KqlTable, ApiError> run_kql(const Services& services, std::string_view query, const kql::Options& options,
                                          std::size_t rows_max, const std::stop_token& stopping);

/// The functions that people keep, by name; empty when they cannot be read now (logged).
std::vector<state::SavedQuery> stored_functions(const Services& services);

/// The tables, and the stored functions of the moment.
kql::Schema current_schema(const Services& services);

}  // namespace picket::api
