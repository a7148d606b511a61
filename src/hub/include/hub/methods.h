// Direct methods: a call to a device that is online, with two time limits (spec/hub.md 1.4).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/core/time.h"
#include "hub/directory.h"
#include "hub/hub_error.h"
#include "hub/identity_key.h"

namespace picket::hub {

struct MethodRequest {
  std::string name;     ///< 1 to 100 characters.
  std::string payload;  ///< JSON, at most 128 KB; empty: none.
  Duration response_timeout = Duration::seconds(30);  ///< 5 to 300 s.
  Duration connect_timeout;                           ///< 0 to 300 s: how long to wait for the device to come online.
};

struct MethodReply {
  int status = 0;       ///< As the device gave it.
  std::string payload;  ///< JSON, or empty.
};

/// In memory: a call does not outlive the server. Bounded: kCallsMax at a time, kCallsPerDeviceMax of one identity. Any thread.
class Methods {
 public:
  virtual ~Methods() = default;
  /// Errors: 404001, 404103 not online or not subscribed within connect_timeout, 504101 no answer in time, 413001, 400004,
  /// 429001 too many calls, 502001 the reply is no JSON or too large.
  virtual void invoke(const IdentityKey& target, MethodRequest request, std::string_view caller, Done<MethodReply> done) = 0;
  /// A link says that its identity takes methods now (it has subscribed).
  virtual void available(const IdentityKey& identity) = 0;
  /// The reply of a device. Only the identity that was called is heard; others are counted and ignored.
  virtual void respond(const IdentityKey& from, std::uint64_t call, MethodReply reply) = 0;
  /// The link has gone: its calls fail with 404103.
  virtual void gone(const IdentityKey& identity) = 0;
};

}  // namespace picket::hub
