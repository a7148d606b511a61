#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "hub/provisioning.h"

namespace picket::hub {

std::optional<ProvisioningPath> parse_provisioning_path(std::string_view path) {
  const auto segment = [&path]() -> std::optional<std::string> {
    if (!path.starts_with('/')) return std::nullopt;
    path.remove_prefix(1);
    const auto raw = path.substr(0, path.find('/'));
    path.remove_prefix(raw.size());
    auto text = percent_decode(raw);
    if (!text || text->empty()) return std::nullopt;
    return *std::move(text);
  };
  ProvisioningPath out;
  const auto scope = segment();
  const auto kind = segment();
  const auto registration = segment();
  const auto action = segment();
  if (!action || *kind != "registrations") return std::nullopt;
  out.scope = *scope;
  out.registration_id = *registration;
  if (*action == "register") return path.empty() ? std::optional(out) : std::nullopt;
  if (*action != "operations") return std::nullopt;
  auto operation = segment();
  if (!operation || !path.empty()) return std::nullopt;
  out.operation_id = *std::move(operation);
  return out;
}

ProvisioningReply to_reply(const HubError& error) {
  JsonWriter body;
  body.begin_object().key("errorCode").value(static_cast<std::int64_t>(error.code));
  body.key("message").value(error.message);
  return {.status = error.status(), .retry_after_seconds = 0, .body = body.end_object().take()};
}

}  // namespace picket::hub
