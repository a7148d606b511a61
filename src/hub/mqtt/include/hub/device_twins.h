// What a device may do with its own twin; the twin service stands behind it.
#pragma once

#include <cstdint>
#include <string>

#include "base/core/identity.h"
#include "hub/hub_error.h"

namespace picket::hub {

class DeviceTwins {
 public:
  virtual ~DeviceTwins() = default;
  /// {"desired":{…,"$version":n},"reported":{…,"$version":n}}
  virtual void read(const Identity& device, Done<std::string> done) = 0;
  /// Merges into the reported properties; the new version. Errors: 400…, 413001, 429001, 5xx. In order of the calls of
  /// one device.
  virtual void report(const Identity& device, std::string patch, Done<std::uint64_t> done) = 0;
};

}  // namespace picket::hub
