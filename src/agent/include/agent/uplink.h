// The way from the spool to the hub: name, TCP, TLS, MQTT, messages, acknowledgements, and all of it again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/backoff.h"
#include "agent/config.h"
#include "agent/connection_string.h"
#include "agent/event_loop.h"
#include "agent/provisioning.h"
#include "agent/spool.h"
#include "agent/tls_material.h"
#include "agent/twin_client.h"
#include "agent/uplink_status.h"

namespace picket::agent {

/// A direct method that the hub calls (spec/hub.md, section 1.1). Views live for the call.
struct MethodCall {
  std::string_view name;
  std::string_view payload;  ///< JSON, or empty.
};
struct MethodAnswer {
  int status = 404;     ///< As HTTP: 200 done, 404 no such method, 400 bad payload.
  std::string payload;  ///< JSON, or empty.
};

struct UplinkOptions {
  UplinkSettings settings;
  std::string agent_version;
  std::string agent_id;  ///< UUID of the installation.
  std::string boot_id;   ///< UUID of the running kernel.
  /// Asks the provisioning service who this device is: when there is no connection string, and again when a hub refuses
  /// what it has told.
  std::optional<ProvisioningOptions> provisioning;
};

/// The life cycle of connections: attempts, back-off, renewal. What bytes pass is Transport's, what they say is
/// HubSession's and ProvisioningSession's.
/// Behaves as the IoT Hub SDKs were seen to (spec/hub.md, sections 1.1 and 2), so a real IoT Hub serves too: QoS 1,
/// `$.mid` that stays when a message is sent again, clean=0, SAS renewal by a new connection before the token ends,
/// CONNACK 3 retried soon, CONNACK 4 and 5 after minutes. Never more than window messages without acknowledgement, and
/// never more than kWindowBytes of them in memory. With "auto" each attempt that does not reach MQTT's port goes on by
/// WebSocket at once. One thread: the loop's.
class Uplink {
 public:
  static constexpr std::size_t kWindowBytes = 512 << 10;
  using OnAcknowledged = std::function<void(StreamId)>;
  using OnMethod = std::function<MethodAnswer(const MethodCall&)>;
  using OnWarning = std::function<void(std::string_view)>;

  /// All references outlive the uplink. Without an identity, `options.provisioning` is there.
  Uplink(UplinkOptions options, std::optional<ConnectionString> identity, EventLoop& loop, TlsMaterial tls,
         Spool& spool);
  ~Uplink();
  Uplink(const Uplink&) = delete;
  Uplink& operator=(const Uplink&) = delete;

  void start();
  /// Says good-bye to the hub and closes. Messages on their way stay in the spool.
  void stop();
  /// The spool has something new. No system call when it has not.
  void wake();
  void on_acknowledged(OnAcknowledged callback);
  /// Set before start(): the uplink then asks the hub for direct methods.
  void on_method(OnMethod callback);
  /// Something that a person has to do before it becomes a problem, such as a certificate that ends soon. At most once
  /// a day.
  void on_warning(OnWarning callback);
  /// Set before start(): the uplink then keeps `twin` in step with the hub. It outlives the uplink.
  void keep_twin(TwinClient& twin);
  [[nodiscard]] const UplinkStatus& status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "{epoch}-{sequence}": what `$.mid` says.
std::string message_id(StreamId id);

}  // namespace picket::agent
