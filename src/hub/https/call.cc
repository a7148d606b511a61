#include "call.h"

#include <algorithm>

#include "base/core/encoding.h"
#include "blob_routes.h"
#include "hub/hub_settings.h"
#include "registry_job_routes.h"
#include "reply.h"

namespace picket::hub {
namespace {

constexpr std::size_t kSegmentsMax = 12;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  while (path.starts_with('/') && out.size() <= kSegmentsMax) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  if (!out.empty() && out.back().empty()) out.pop_back();  // "/devices/" is "/devices"
  return out;
}

bool is_name(std::string_view segment) { return segment.starts_with('{'); }

/// Values of the pattern's names when the segments fit it. Each is decoded once and then a literal.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::span<const std::string_view> segments) {
  const auto expected = split(pattern);
  const bool open_end = !expected.empty() && expected.back() == "*";
  const std::size_t fixed = expected.size() - (open_end ? 1 : 0);
  if (open_end ? segments.size() < fixed : segments.size() != fixed) return std::nullopt;
  std::vector<std::string> values;
  for (std::size_t i = 0; i < fixed; ++i) {
    const auto decoded = percent_decode(segments[i]);
    if (!decoded || decoded->empty() || !is_utf8(*decoded) || decoded->contains('\0')) return std::nullopt;
    if (is_name(expected[i])) {
      values.push_back(*decoded);
    } else if (*decoded != expected[i]) {
      return std::nullopt;
    }
  }
  return values;
}

/// Java's HttpURLConnection knows no PATCH: its service SDK sends POST and says what is meant.
std::string_view method_of(const http::Request& head) {
  const bool is_patch = head.method == "POST" && head.header("x-http-method-override") == "PATCH";
  return is_patch ? std::string_view("PATCH") : std::string_view(head.method);
}

}  // namespace

std::string HttpsContext::hub_of(std::string_view host) const {
  if (!host.starts_with('[')) host = host.substr(0, host.find(':'));
  return options.hubs.hub_of(host, needs.settings);
}

std::optional<std::string_view> Call::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

IdentityKey Call::target() const {
  return {service().hub, values.empty() ? "" : values[0], values.size() > 1 ? values[1] : ""};
}

void Call::count(Operation operation, std::uint64_t bytes, std::uint64_t n) const {
  if (context.needs.counters != nullptr)
    context.needs.counters->count(device().identity(), operation, Protocol::https, bytes, n);
}

HubResult<Call> find_call(HttpsContext& context, const http::Request& head) {
  const auto segments = split(head.path);
  if (const CallRoute* own = registry_file_route(head)) {
    auto values = match(own->pattern, segments);
    if (!values) return hub_fail(kNotFound, "There is nothing at this address.");
    Call call{.context = context, .route = own, .host = std::string(head.header("host"))};
    call.values = *std::move(values);
    return call;
  }
  if (context.needs.files != nullptr && context.needs.files->is_blob_path(head.path))
    return Call{.context = context, .route = &blob_route(), .host = std::string(head.header("host"))};
  bool other_method = false;
  for (const CallRoute& route : call_routes()) {
    auto values = match(route.pattern, segments);
    if (!values) continue;
    const bool fits = route.method == method_of(head);
    other_method = other_method || !fits;
    if (!fits) continue;
    auto query = http::parse_query(head.query);
    if (!query) return hub_fail(codes::kArgumentInvalid, "The query of the address is not valid.");
    Call call{.context = context, .route = &route, .host = std::string(head.header("host"))};
    call.values = *std::move(values);
    call.query = *std::move(query);
    return call;
  }
  if (other_method) return hub_fail(kMethodNotAllowed, "This address does not take that method.");
  return hub_fail(kNotFound, "There is nothing at this address.");
}

}  // namespace picket::hub
