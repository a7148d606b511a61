// `picket posture …`: scores, and what people decided to live with.
#pragma once

#include <string>

#include "client.h"
#include "hub_options.h"

namespace CLI {
class App;
}

namespace picket::cli {

struct ExemptionOptions {
  std::string type;
  std::string device;  ///< Empty: all, as with the group.
  std::string group;
  std::string reason;
  std::uint32_t days = 0;  ///< 0: for good.
};

Outcome<void> posture_show(const Client& client, const std::string& group, bool json);
/// Of one device: its score and what it was.
Outcome<void> posture_device(const Client& client, const std::string& device, bool json);
Outcome<void> posture_devices(const Client& client, const std::string& group, std::uint32_t limit, bool json);
Outcome<void> posture_exemptions(const Client& client, bool json);
Outcome<void> posture_exempt(const Client& client, const ExemptionOptions& options);
Outcome<void> posture_restore(const Client& client, const std::string& id);

void add_posture(CLI::App& app, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
