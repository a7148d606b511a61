// Who the agent is, as its settings say: by a connection string, or by asking the provisioning service.
#pragma once

#include <optional>

#include "agent/config.h"
#include "agent/provisioning.h"
#include "agent/tls_material.h"

namespace picket::agent {

struct Identity {
  std::optional<ConnectionString> connection;
  std::optional<ProvisioningOptions> provisioning;  ///< There when `connection` is not.
  TlsFiles tls;
};

/// Reads the files of secrets that `config` names. The error says what is missing, wrong or open to others, and what to
/// do; it never shows a secret.
Checked<Identity> resolve_identity(const Config& config);

}  // namespace picket::agent
