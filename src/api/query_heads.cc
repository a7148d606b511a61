#include "query_heads.h"

#include <cctype>

#include "base/core/encoding.h"

namespace picket::api {
namespace {

constexpr std::string_view kWorkspaces = "/v1/workspaces/";

struct Target {
  std::string_view method;
  std::function<Response(Call&)> answer;
  bool kusto = false;
};

// "{id}/query" -> id; empty: something else stands there.
std::string workspace_of(std::string_view path, std::string_view ending) {
  if (!path.starts_with(kWorkspaces) || !path.ends_with(ending)) return {};
  path.remove_prefix(kWorkspaces.size());
  if (path.size() <= ending.size()) return {};
  path.remove_suffix(ending.size());
  const auto name = percent_decode(path);
  return name && name->find('/') == std::string::npos ? *name : std::string();
}

/// "subscriptions/…/providers/Microsoft.OperationalInsights/workspaces/{name}/query", as a resource is queried -> name.
std::string resource_workspace_of(std::string_view path) {
  constexpr std::string_view kProvider = "/providers/microsoft.operationalinsights/workspaces/";
  constexpr std::string_view kEnding = "/query";
  std::string lower(path);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t at = lower.find(kProvider);
  // Some clients put their path together with two slashes.
  const bool resource = lower.starts_with("/v1/subscriptions/") || lower.starts_with("/v1//subscriptions/");
  if (!resource || at == std::string::npos || !lower.ends_with(kEnding)) return {};
  std::string_view name = path.substr(at + kProvider.size());
  if (name.size() <= kEnding.size()) return {};
  name.remove_suffix(kEnding.size());
  return name.find('/') == std::string_view::npos ? std::string(name) : std::string();
}

std::optional<Target> target_of(std::string_view path, std::string_view method) {
  const auto kusto_call = [](KustoCall kind) {
    return Target{"POST", [kind](Call& call) { return kusto(call, kind); }, true};
  };
  if (path == "/v1/rest/query") return kusto_call(KustoCall::query_v1);
  if (path == "/v2/rest/query") return kusto_call(KustoCall::query_v2);
  if (path == "/v1/rest/mgmt") return kusto_call(KustoCall::management);
  if (path == "/v1/$batch") return Target{"POST", log_analytics_batch};
  std::string id = workspace_of(path, "/query");
  if (id.empty()) id = resource_workspace_of(path);
  if (!id.empty()) {
    return Target{method == "GET" ? "GET" : "POST", [id](Call& call) { return log_analytics_query(call, id); }};
  }
  if (const std::string shown = workspace_of(path, "/metadata"); !shown.empty()) {
    return Target{method == "POST" ? "POST" : "GET",
                  [shown](Call& call) { return log_analytics_metadata(call, shown); }};
  }
  return std::nullopt;
}

}  // namespace

bool is_our_workspace(const Services& services, std::string_view name) {
  return name == services.installation_id || equal_ignoring_case(name, services.hub) ||
         equal_ignoring_case(name, "picket");
}

std::optional<Response> answer_query_head(const Parts& parts, const Request& request) {
  const std::string_view path = request.path;
  if (!path.starts_with("/v1/") && !path.starts_with("/v2/")) return std::nullopt;
  Call call{.parts = parts, .request = request, .caller = {}, .path_values = {}, .query = {}};
  const auto target = target_of(path, request.method);
  // Kusto's clients take "not found" for "no sign-in service"; some read what stands in the body, so there is none.
  if (path == "/v1/rest/auth/metadata") return Response{.status = 404};
  if (!target) return Response::error({.code = "not_found", .target = request.path.substr(0, 256)});
  const auto refuse = [&](const ApiError& error) {
    return target->kusto ? kusto_error(call, error) : log_analytics_error(error);
  };
  if (request.method != target->method) return refuse({.code = "method_not_allowed"});
  if (const auto error = authorize(parts, Access::reader, call)) return refuse(*error);
  auto query = parse_query(request.query);
  if (!query) return refuse({.code = "bad_request"});
  call.query = *std::move(query);
  return target->answer(call);
}

}  // namespace picket::api
