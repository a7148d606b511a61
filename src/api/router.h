// The table of routes: who may call what. One line a route; the OpenAPI document is checked against it.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/live.h"
#include "api/services.h"
#include "authenticator.h"
#include "http.h"
#include "running_queries.h"

namespace picket::api {

/// Least role; `open` needs none.
enum class Access : std::uint8_t { open, reader, contributor, admin };

class Facts;

/// What handlers work with; outlives them.
struct Parts {
  const Services& services;
  Authenticator& authenticator;
  Live& live;
  Facts& facts;
  RunningQueries& running;
  ScryptCost scrypt;
  Timestamp started_at;
  std::stop_token stopping;
  std::function<CounterGroup()> own_counters;
};

/// One call of a handler.
struct Call {
  const Parts& parts;
  const Request& request;
  Caller caller;                         ///< Without user on open routes.
  std::vector<std::string> path_values;  ///< Decoded values of the pattern's {names}, in order.
  std::vector<std::pair<std::string, std::string>> query;

  /// A query parameter; nullopt: absent or empty.
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
  [[nodiscard]] state::Actor actor() const { return {.user = caller.user, .source = request.address}; }
  [[nodiscard]] Timestamp now() const { return parts.services.clock.now(); }
};

using Handler = std::expected<Response, ApiError> (*)(Call&);

struct Route {
  std::string_view method;
  std::string_view pattern;  ///< Below /api/v1; {name} is one segment.
  Access access;
  Handler handler;
};

std::span<const Route> routes();

/// Finds the route, the caller and the role, checks the CSRF token, calls the handler. Any worker.
Response dispatch(const Parts& parts, const Request& request);

/// Fills in the caller; an error when the call is not allowed.
std::optional<ApiError> authorize(const Parts& parts, Access access, Call& call);

inline constexpr std::string_view kApiPrefix = "/api/v1";

/// The ApiError of a failed store or engine; `target` names the thing at fault.
std::unexpected<ApiError> api_error(const Error& error, std::string_view target);

}  // namespace picket::api

/// API_TRY(auto value, expression): as TRY, for std::expected<T, ApiError>.
#define API_TRY(declaration, ...) \
  PICKET_TRY_IMPL(PICKET_CONCAT(api_try_, __COUNTER__), declaration, (__VA_ARGS__), return)
