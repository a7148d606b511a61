// Recommendations, security groups, and what reaches one device: twin, methods, messages.
#pragma once

#include <functional>
#include <string>

#include "client.h"
#include "hub_options.h"

namespace CLI {
class App;
}

namespace picket::cli {

struct RecommendationOptions {
  std::string state = "Active";  ///< "all": both.
  std::string device;
  std::string type;
  std::uint32_t limit = 100;
};
Outcome<void> recommendation_list(const Client& client, const RecommendationOptions& options, bool json);
Outcome<void> recommendation_types(const Client& client, bool json);
Outcome<void> recommendation_switch(const Client& client, const std::string& type, bool enabled);

Outcome<void> device_twin(const Client& client, const std::string& id, const std::string& module,
                          const std::string& patch);
Outcome<void> device_method(const Client& client, const std::string& id, const std::string& module,
                            const std::string& name, const std::string& payload, std::uint32_t timeout_s);
Outcome<void> device_send(const Client& client, const std::string& id, const std::string& text);

Outcome<void> provisioning_show(const Client& client, bool json);

/// `picket recommendation …`, `picket provisioning show`, and `twin`, `method` and `send` below `device`.
void add_security(CLI::App& app, CLI::App& device, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
