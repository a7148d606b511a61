// The broker of direct methods: construction, what it needs, what it counts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hub/directory.h"
#include "hub/methods.h"

namespace picket::hub {

inline constexpr std::size_t kMethodNameMax = 100;
inline constexpr std::size_t kMethodPayloadBytesMax = 128 * 1024;  ///< Each way.
inline constexpr std::size_t kCallsMax = 4096;                     ///< At a time, of all.
inline constexpr std::size_t kCallsPerDeviceMax = 16;              ///< Of one identity.
inline constexpr Duration kResponseTimeoutMin = Duration::seconds(5);
inline constexpr Duration kMethodTimeoutMax = Duration::seconds(300);

/// One call that has ended; for the operations log.
struct MethodOperation {
  Timestamp time;
  IdentityKey target;
  std::string name;
  std::string caller;
  int code = 0;  ///< 0: answered; else the HubError's.
  int status = 0;
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  Duration took;
};

struct MethodStats {
  std::uint64_t invoked = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;           ///< Ended by any HubError after they were accepted.
  std::uint64_t refused = 0;          ///< Not accepted: invalid, too many.
  std::uint64_t foreign_replies = 0;  ///< From an identity that was not called, or to no call: ignored.
  std::uint64_t open = 0;             ///< Now.
};

struct MethodOptions {
  /// Whether there is such an identity; asked only when it is not online. Must be quick. Empty: all exist.
  std::function<bool(const IdentityKey&)> exists;
  /// Called when a call has ended, on any thread; must be quick. May be empty.
  std::function<void(const MethodOperation&)> on_operation;
};

class MethodBroker : public Methods {
 public:
  /// Ends calls whose time is over. Call it at least once a second.
  virtual void run_due() = 0;
  /// Ends all calls with 503003, and refuses new ones.
  virtual void stop() = 0;
  [[nodiscard]] virtual MethodStats stats() const = 0;
};

/// As Directory::notify: `taken` is told whether a link took it.
using NotifyLink =
    std::function<void(const IdentityKey& key, Notification notification, std::move_only_function<void(bool)> taken)>;

/// What it refers to outlives it. Answers of `notify` that come after its end are ignored.
std::unique_ptr<MethodBroker> make_methods(NotifyLink notify, const Clock& clock, MethodOptions options = {});
inline std::unique_ptr<MethodBroker> make_methods(Directory& directory, const Clock& clock,
                                                  MethodOptions options = {}) {
  return make_methods(
      [&directory](const IdentityKey& key, Notification notification, std::move_only_function<void(bool)> taken) {
        directory.notify(key, std::move(notification), std::move(taken));
      },
      clock, std::move(options));
}

}  // namespace picket::hub
