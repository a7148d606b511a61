#include "access.h"

#include "address.h"
#include "hub/sas_token.h"

namespace picket::hub::amqp {

std::string resource_of_user(std::string_view user, std::string_view text) {
  const auto token = parse_sas_token(text);
  if (!token) return {};
  const auto at = user.rfind("@sas.");
  if (at == std::string_view::npos) return {};
  const auto name = user.substr(0, at);
  const bool root = user.substr(at + 5).starts_with("root.");
  const auto hub = user.substr(at + (root ? 10 : 5));
  const auto signed_for = parse_resource(token->resource);
  if (!signed_for || hub.empty()) return {};
  // The user name has the hub's short name: the first label of its host.
  const auto& host = signed_for->host;
  const auto label = std::string_view(host).substr(0, host.find_first_of(".:"));
  if (!same_without_case(label, hub.substr(0, hub.find_first_of(".:")))) return {};
  if (root) return name == token->policy_name ? host : std::string();
  const auto slash = name.find('/');
  return host + identity_path(name.substr(0, slash), slash == std::string_view::npos ? "" : name.substr(slash + 1));
}

}  // namespace picket::hub::amqp
