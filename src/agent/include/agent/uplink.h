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
#include "agent/resolver.h"
#include "agent/spool.h"
#include "agent/tls.h"

namespace picket::agent {

enum class UplinkState : std::uint8_t {
  stopped,
  waiting,     ///< For the next attempt; `reason` says what failed.
  resolving,   ///< Asking for the address.
  connecting,  ///< TCP.
  securing,    ///< TLS.
  joining,     ///< MQTT CONNECT sent.
  connected,
};
std::string_view to_string(UplinkState state);

/// Why the last attempt or connection ended.
enum class UplinkProblem : std::uint8_t { none, name, network, tls, certificate, denied, busy, protocol, lost };
std::string_view to_string(UplinkProblem problem);

struct UplinkStatus {
  UplinkState state = UplinkState::stopped;
  UplinkProblem problem = UplinkProblem::none;
  std::string reason;  ///< For people; empty when nothing is wrong.
  Timestamp since;     ///< Of `state`.
  std::optional<Timestamp> next_attempt;
  std::optional<Timestamp> last_connected;
  std::optional<Timestamp> last_acknowledged;
  std::uint64_t attempts = 0;
  std::uint64_t connections = 0;
  std::uint64_t sent = 0;        ///< Messages handed to a connection, repeats included.
  std::uint64_t sent_again = 0;  ///< Of these, repeats.
  std::uint64_t acknowledged = 0;
  std::uint64_t bytes_sent = 0;  ///< MQTT bytes, before TLS.
};

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
};

/// Behaves as the IoT Hub SDKs were seen to (spec/hub.md, sections 1.1 and 2), so a real IoT Hub serves too: QoS 1,
/// `$.mid` that stays when a message is sent again, clean=0, SAS renewal by a new connection before the token ends,
/// CONNACK 3 retried soon, CONNACK 4 and 5 after minutes. Never more than window messages without acknowledgement, and
/// never more than kWindowBytes of them in memory. One thread: the loop's.
class Uplink {
 public:
  static constexpr std::size_t kWindowBytes = 512 << 10;
  using OnAcknowledged = std::function<void(StreamId)>;
  using OnMethod = std::function<MethodAnswer(const MethodCall&)>;

  /// All references outlive the uplink.
  Uplink(UplinkOptions options, ConnectionString identity, EventLoop& loop, std::unique_ptr<TlsContext> tls,
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
  [[nodiscard]] const UplinkStatus& status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "{epoch}-{sequence}": what `$.mid` says.
std::string message_id(StreamId id);

/// gzip (RFC 1952) when the result is at least an eighth smaller; nullopt otherwise.
std::optional<Buffer> compress_message(std::string_view message);

}  // namespace picket::agent
