// `picket hub …`: hubs, their settings, policies and CA certificates.
#pragma once

#include <cstdint>
#include <string>

#include "client.h"

namespace picket::cli {

struct HubSize {
  std::string location;  ///< Empty: as it is, or the default.
  std::string tier;
  std::uint32_t units = 0;  ///< 0: as it is.
};

Outcome<void> hub_list(const Client& client, bool json);
Outcome<void> hub_create(const Client& client, const std::string& name, const HubSize& size, bool json);
Outcome<void> hub_show(const Client& client, const std::string& name, bool json);
Outcome<void> hub_resize(const Client& client, const std::string& name, const HubSize& size, bool json);
Outcome<void> hub_remove(const Client& client, const std::string& name);

/// `file` empty: print the settings document; "-": read the new one from standard input.
Outcome<void> hub_settings(const Client& client, const std::string& name, const std::string& file);

Outcome<void> hub_policy_list(const Client& client, const std::string& name, bool json);
Outcome<void> hub_policy_add(const Client& client, const std::string& name, const std::string& policy,
                             const std::string& rights);
Outcome<void> hub_policy_show(const Client& client, const std::string& name, const std::string& policy, bool json);
Outcome<void> hub_policy_rotate(const Client& client, const std::string& name, const std::string& policy,
                                const std::string& key);
Outcome<void> hub_policy_remove(const Client& client, const std::string& name, const std::string& policy);

Outcome<void> hub_certificate_list(const Client& client, const std::string& name, bool json);
Outcome<void> hub_certificate_add(const Client& client, const std::string& name, const std::string& certificate,
                                  const std::string& file, bool json);
Outcome<void> hub_certificate_code(const Client& client, const std::string& name, const std::string& certificate);
Outcome<void> hub_certificate_verify(const Client& client, const std::string& name, const std::string& certificate,
                                     const std::string& file);
Outcome<void> hub_certificate_remove(const Client& client, const std::string& name, const std::string& certificate);

}  // namespace picket::cli
