// The hub's side of one AMQP connection: who it may act as, and its links. Pure: bytes, time and answers in; bytes and
// requests to its Rim out.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access.h"
#include "address.h"
#include "engine.h"
#include "hub/directory.h"
#include "hub/disconnect_reason.h"
#include "hub/sas_token.h"
#include "link.h"
#include "rim.h"
#include "services.h"

namespace picket::hub::amqp {

struct ConnectionLimits {
  EngineLimits engine;
  Duration unauthenticated_max = Duration::seconds(10);  ///< From the first byte to the first proven credential.
  Duration storage_patience = Duration::seconds(60);     ///< How long a message waits for the journal to take it.
  Duration token_grace = kTokenGrace;
  std::size_t devices_max = 1000;  ///< Identities that share a connection.
  int telemetry_credit = 32;
};

/// What became of a proven identity.
enum class Admission : std::uint8_t { granted, refused, throttled };

/// An identity that this connection acts as.
struct Device {
  Number number = 0;
  DeviceGrant grant;
  bool granted = false;  ///< The directory has given it its place.
  bool gone = false;
  std::uint64_t messages = 0;
  Duration since;
  std::set<LinkId> links;
  std::map<std::string, Link*> channels;  ///< Reply links of twin requests, by their correlation id.
  std::function<std::expected<Access, AccessRefusal>()> again;  ///< Proves the credential once more.
  Duration claim_at;  ///< Its rate of connects lets it ask for its place then.
  bool claimed = false;
  std::optional<Duration> throttle_logged;
  std::vector<std::move_only_function<void(Admission)>> waiting;  ///< For the place.
};

/// Lives on one thread.
class Connection final : private EngineUser {
 public:
  /// All outlive it.
  Connection(Rim& rim, const Authenticator& authenticator, const Services& services, const ConnectionLimits& limits);
  ~Connection() override;

  // From the socket.
  void input(Bytes bytes);
  void input_ended();
  void tick();
  bool take_output(Buffer& out, std::size_t bytes_max) { return engine_.take_output(out, bytes_max); }
  [[nodiscard]] bool finished() const { return engine_.finished(); }
  [[nodiscard]] bool closing() const { return engine_.closing(); }

  // From the directory and the journal.
  void granted(Number device);
  void close_device(Number device, DisconnectReason reason, std::string_view detail);
  bool notify(Number device, const Notification& notification);
  /// How many records it was.
  std::size_t stored(Number work, bool good);
  /// Ends everything; the first reason counts.
  void close(DisconnectReason reason, std::string_view detail = {});
  /// The socket is gone: ends are logged, places released, links told.
  void end(DisconnectReason reason);

  // For links.
  Engine& engine() { return engine_; }
  Rim& rim() { return rim_; }
  const Services& services() const { return services_; }
  const ConnectionLimits& limits() const { return limits_; }
  const Authenticator& authenticator() const { return authenticator_; }
  const std::string& host() const { return host_; }
  Number next_number() { return next_number_++; }
  /// nullptr: it has ended.
  Device* device(Number number);
  /// The grant of a service policy for a hub that this connection has proven; nullptr: none.
  const ServiceGrant* service_named(std::string_view hub) const;
  /// Any; nullptr: none.
  const ServiceGrant* service() const;
  /// Link::stored(work) follows unless it fails. Errors: as Rim::append.
  Result<> append(LinkId link, std::span<const journal::Record> records, Number work);
  /// Pays for an operation: when it may be done (monotonic), at least now; tick() comes then. `who` without a device:
  /// the hub alone. Error: 429001; nothing was taken, and `wait` is how long it takes until it can be. Logged, counted.
  struct Refused {
    HubError error;
    Duration wait;
  };
  std::expected<Duration, Refused> pay(const Identity& who, Meter meter, double amount);
  /// Messages count by rate and by day. Error also 403002.
  std::expected<Duration, Refused> pay_messages(const Identity& who, std::size_t count, std::uint64_t blocks);
  void detach(LinkId link, const Condition& condition);
  void log(HubEventKind kind, const Identity& identity, std::string_view reason, std::string_view object, int code);

  /// Proves a token; `then` gets the status for the client (200, 401, 429, 503) and a text, at once or when the place
  /// is given.
  void put_token(std::string_view resource, std::string_view token,
                 std::move_only_function<void(int, std::string)> then);
  /// Where CBS answers go: a link of the client's from $cbs; nullptr: none yet.
  Link* reply_link = nullptr;
  Link* management_link = nullptr;  ///< The same for $management.

 private:
  // EngineUser
  std::string_view mechanisms() override;
  bool plain(std::string_view user, std::string_view password) override;
  bool external() override;
  void opened(std::string_view host) override { host_ = host; }
  void attach(LinkId link, LinkRequest request) override;
  void received(LinkId link, DeliveryId delivery, Bytes message, std::uint32_t format) override;
  void oversized(LinkId link) override;
  void credit(LinkId link) override;
  void settled(LinkId link, DeliveryId delivery, Outcome outcome) override;
  void detached(LinkId link) override;

  void attach_device(LinkId link, const Address& address, LinkRequest request);
  void attach_service(LinkId link, const Address& address, LinkRequest request);
  void open_link(LinkId link, std::unique_ptr<Link> made, std::size_t message_bytes_max);
  [[nodiscard]] PeerFacts peer() const { return {host_, rim_.source_address(), rim_.tls()}; }
  /// nullopt: it proves nothing, or its place is asked for.
  std::optional<Admission> prove_certificate(const Address& address);
  Device* find_device(std::string_view device_id, std::string_view module_id);
  /// A grant for an identity: new, or a renewal.
  using Again = std::function<std::expected<Access, AccessRefusal>()>;
  void admit(DeviceGrant grant, Again again, std::move_only_function<void(Admission)> then);
  void claim_due(Duration now);
  void throttled(const Identity& who, std::string_view what, int code);
  /// Nobody is served but identities that are `gone`.
  [[nodiscard]] bool serves_nobody() const;
  void admit(ServiceGrant grant);
  void end_device(Device& device, DisconnectReason reason, std::string_view detail);
  void refuse(const AccessRefusal& refusal);
  [[nodiscard]] HubEvent event_of(HubEventKind kind, const Identity& identity) const;
  void remove_link(LinkId link);
  void sweep();
  Link* find_link(LinkId link);

  Rim& rim_;
  const Authenticator& authenticator_;
  const Services& services_;
  const ConnectionLimits limits_;
  Engine engine_;
  Number next_number_ = 1;
  Duration begun_;
  bool proven_ = false;
  std::optional<DisconnectReason> end_;
  bool ended_ = false;
  std::string host_;
  std::string sdk_;  ///< com.microsoft:client-version of the first link that says it.
  std::map<Number, std::unique_ptr<Device>> devices_;
  std::vector<ServiceGrant> services_granted_;
  std::unordered_map<LinkId, std::unique_ptr<Link>> links_;
  std::unordered_map<LinkId, Number> device_of_link_;
  struct Work {
    LinkId link;
    std::size_t records;
  };
  std::unordered_map<Number, Work> work_;
  std::optional<Duration> throttle_logged_;     ///< Of services.
  std::vector<std::unique_ptr<Link>> removed_;  ///< Destroyed when no call of theirs is on the stack.
};

}  // namespace picket::hub::amqp
