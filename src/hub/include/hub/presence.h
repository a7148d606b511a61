// Who is told about connections, over any head.
#pragma once

#include "base/core/identity.h"
#include "base/core/time.h"
#include "hub/disconnect_reason.h"

namespace picket::hub {

/// Told on I/O threads, in order for one identity's connections; must be quick.
class Presence {
 public:
  virtual ~Presence() = default;
  virtual void connected(const Identity& identity, Timestamp time) = 0;
  virtual void disconnected(const Identity& identity, Timestamp time, DisconnectReason reason) = 0;
};

}  // namespace picket::hub
