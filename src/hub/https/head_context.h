// What all connections of the head share.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "http/workers.h"
#include "hub/https_head.h"

namespace picket::hub {

class RegistryJobs;

struct HttpsCounters {
  std::atomic<std::uint64_t> messages_received{0}, messages_stored{0}, reserved_properties{0}, storage_waits{0},
      unauthorized{0}, throttled{0}, websockets{0};
};

/// Fixed after construction but for the counters.
struct HttpsContext {
  HttpsHeadNeeds needs;
  HttpsHeadOptions options;
  http::Workers workers;
  http::Counters http{};
  HttpsCounters counters{};
  std::atomic<bool> stopping{false};
  std::shared_ptr<RegistryJobs>
      registry_jobs{};  ///< Of this head alone, its type is not needed here; nullptr: no registry or files.

  /// The hub that a client means by the host of its request or token; a port is not looked at.
  [[nodiscard]] std::string hub_of(std::string_view host) const;
};

}  // namespace picket::hub
