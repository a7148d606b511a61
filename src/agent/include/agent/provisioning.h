// Who this device is and which hub is its own, as the provisioning service (DPS) says (spec/hub.md, section 1.7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/connection_string.h"
#include "base/core/result.h"

namespace picket::agent {

struct ProvisioningOptions {
  HostPort endpoint;            ///< Of the service: global.azure-devices-provisioning.net, or Picket's own hub.
  std::string id_scope;         ///< "0ne…"
  std::string registration_id;  ///< With X.509 it is the certificate's common name.
  Buffer key;                   ///< The device's own symmetric key; empty: X.509.
  std::string module_id;        ///< Module that the agent connects as; empty: the device itself.
  std::string state_file;       ///< Where the assignment is kept (0600); empty: nowhere.
};

/// The device's key of an enrolment group: HMAC-SHA256 of the group's key over the registration id.
Buffer derive_device_key(Bytes group_key, std::string_view registration_id);

/// What the service has decided.
struct Assignment {
  std::string hub;  ///< "host" or "host:port".
  std::string device_id;
  friend bool operator==(const Assignment&, const Assignment&) = default;
};
/// Who to be at that hub; the error is a text for people (the hub's name is none).
Checked<ConnectionString> identity_of(const Assignment& assignment, const ProvisioningOptions& options);

/// What was stored for the same scope and registration; nullopt: nothing, or for others.
std::optional<Assignment> load_assignment(const ProvisioningOptions& options);
Result<> store_assignment(const ProvisioningOptions& options, const Assignment& assignment);

// The protocol, pure.

std::string provisioning_user_name(const ProvisioningOptions& options, std::string_view client_version);
/// "SharedAccessSignature sr={scope}%2Fregistrations%2F{id}&sig=…&se=…&skn=registration"
std::string provisioning_token(const ProvisioningOptions& options, Timestamp expires);

/// Body of an answer, as far as a device reads it.
struct RegistrationAnswer {
  std::string status;  ///< "assigning", "assigned", "failed", "disabled", ...
  std::string operation_id;
  Assignment assignment;
  std::string error;  ///< For people; may be empty.
};
inline constexpr std::size_t kRegistrationAnswerBytesMax = 16 << 10;
/// Errors: malformed (no JSON object), limit_exceeded (kRegistrationAnswerBytesMax, or nested deeper than 16).
Result<RegistrationAnswer> parse_registration_answer(std::string_view json);

/// "$dps/registrations/res/{status}/?$rid={rid}&retry-after={s}"
struct RegistrationTopic {
  int status = 0;
  std::string_view request_id;
  std::optional<Duration> retry_after;
};
/// nullopt: another topic.
std::optional<RegistrationTopic> parse_registration_topic(std::string_view topic);

}  // namespace picket::agent
