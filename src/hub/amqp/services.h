// What the links of a connection call. nullptr: not offered here, links for it are refused.
#pragma once

#include <cstdint>
#include <string>

#include "base/core/identity.h"
#include "hub/hub_error.h"

namespace picket::hub {
class Commands;
class Methods;
class Files;
class EventStream;
}  // namespace picket::hub

namespace picket::hub::amqp {

/// What a device does with its own twin: hub::Twins, or a test's.
class TwinPort {
 public:
  virtual ~TwinPort() = default;
  virtual void read(const Identity& self, Done<std::string> done) = 0;
  virtual void report(const Identity& self, std::string patch, Done<std::uint64_t> done) = 0;
};

struct Services {
  Commands* commands = nullptr;
  Methods* methods = nullptr;
  TwinPort* twins = nullptr;
  Files* files = nullptr;
  EventStream* events = nullptr;
};

}  // namespace picket::hub::amqp
