#include "paths.h"

#include <algorithm>
#include <vector>

#include "base/core/encoding.h"
#include "enrollment.h"
#include "hub/provisioning.h"

namespace picket::hub {

std::optional<std::vector<std::string>> path_segments(std::string_view path) {
  constexpr std::size_t kSegmentsMax = 6;
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string> out;
  for (path.remove_prefix(1);;) {
    const auto end = std::min(path.find('/'), path.size());
    auto segment = percent_decode(path.substr(0, end));
    if (!segment || out.size() == kSegmentsMax) return std::nullopt;
    if (!segment->empty() || end != path.size()) out.push_back(*std::move(segment));  // a '/' at the end is nothing
    if (end == path.size()) return out;
    path.remove_prefix(end + 1);
  }
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

HubResult<ProvisioningClaim> parse_provisioning_user_name(std::string_view client_id, std::string_view user_name) {
  const auto refused = [] { return hub_fail(kUnauthorized, "The user name is not {scope}/registrations/{id}/…"); };
  const auto first = user_name.find('/');
  if (first == std::string_view::npos) return refused();
  constexpr std::string_view kMiddle = "registrations/";
  auto rest = user_name.substr(first + 1);
  if (!rest.starts_with(kMiddle)) return refused();
  rest.remove_prefix(kMiddle.size());
  const auto id = rest.substr(0, rest.find('/'));
  if (id != client_id || !is_registration_id(id)) return refused();
  return ProvisioningClaim{.scope = std::string(user_name.substr(0, first)),
                           .registration_id = std::string(id),
                           .token = {},
                           .certificate = std::nullopt,
                           .source = {}};
}

std::optional<ProvisioningPath> parse_provisioning_path(std::string_view path) {
  const auto segments = path_segments(path);
  if (!segments || segments->size() < 4 || (*segments)[1] != "registrations") return std::nullopt;
  const auto& parts = *segments;
  if (!parts[0].starts_with("0ne")) return std::nullopt;
  if (parts.size() == 4 && parts[3] == "register") return ProvisioningPath{parts[0], parts[2], {}};
  if (parts.size() == 5 && parts[3] == "operations" && !parts[4].empty()) {
    return ProvisioningPath{parts[0], parts[2], parts[4]};
  }
  return std::nullopt;
}

bool is_provisioning_service_path(std::string_view path) {
  const auto segments = path_segments(path);
  if (!segments || segments->empty()) return false;
  for (const auto* root : {"enrollments", "enrollmentGroups", "registrations"}) {
    if (equal_without_case(segments->front(), root)) return true;
  }
  return false;
}

}  // namespace picket::hub
