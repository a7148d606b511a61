// Cloud-to-device messages: each device's queue, locks, delivery counts, feedback (spec/hub.md, C2D life cycle).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/identity_key.h"
#include "state/devices.h"

namespace picket::hub {

/// Which results the sender wants feedback for (iothub-ack).
enum class FeedbackWish : std::uint8_t { none, positive, negative, full };

/// A message to a device. System properties by their short names as on MQTT ("$.mid", "$.cid", "$.uid", "$.ct", "$.ce", "$.to").
struct Command {
  std::vector<std::pair<std::string, std::string>> properties;
  Buffer body;
  FeedbackWish feedback = FeedbackWish::none;
  std::optional<Timestamp> expiry;  ///< Absent: the hub's default time to live.
};

/// A command handed to a device, until it is completed, rejected or abandoned, its lock ends or its link goes.
struct LockedCommand {
  std::string lock;  ///< Opaque token.
  std::uint64_t sequence = 0;
  std::uint32_t delivery_count = 0;  ///< How often it was abandoned before.
  Timestamp enqueued;
  Timestamp expiry;
  Command command;
};

enum class Settlement : std::uint8_t { complete, reject, abandon };

/// One record of feedback, as IoT Hub reports it.
struct FeedbackRecord {
  std::string original_message_id;
  Timestamp enqueued;
  std::string status_code;  ///< Success, Expired, DeliveryCountExceeded, Rejected, Purged
  std::string description;
  std::string device_id;
  std::string generation_id;
};
/// At most 64 records, or what came in 15 s.
struct FeedbackBatch {
  std::string lock;
  Timestamp enqueued;
  std::vector<FeedbackRecord> records;
};
/// JSON array as IoT Hub sends it (content type application/vnd.microsoft.iothub.feedback.json).
std::string to_json(const FeedbackBatch& batch);

/// Durable: what send() has acknowledged is there until it is settled, expired, purged or its device removed, also after a
/// crash. Any thread. Links are told through the Directory (CommandsWaiting).
class Commands {
 public:
  virtual ~Commands() = default;
  /// Errors: 404001 no such device, 403004 queue full (50), 413001, 400004.
  virtual void send(const IdentityKey& to, Command command, const state::Actor& actor, Done<> done) = 0;
  /// Locks the oldest that is not locked. nullopt: none. Expired ones become feedback on the way.
  /// `protocol`: "mqtt", "amqp" or "https"; for counters. `lock_time` 0: until settled or `unlock_all` (a connected link).
  virtual void receive(const IdentityKey& device, std::string_view protocol, Duration lock_time,
                       Done<std::optional<LockedCommand>> done) = 0;
  /// Errors: 412002 the lock is lost.
  virtual void settle(const IdentityKey& device, std::string_view lock, Settlement settlement, std::string_view protocol,
                      Done<> done) = 0;
  /// The link has gone: what it held can be received again; the delivery counts stay.
  virtual void unlock_all(const IdentityKey& device) = 0;
  /// Removes everything that waits; feedback Purged. Returns how many.
  virtual void purge(const IdentityKey& device, const state::Actor& actor, Done<std::uint64_t> done) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> count(const IdentityKey& device) const = 0;

  /// Feedback for service clients of a hub: the oldest batch that is not locked; locked for 60 s. nullopt: none yet.
  virtual void receive_feedback(std::string_view hub, Done<std::optional<FeedbackBatch>> done) = 0;
  virtual void settle_feedback(std::string_view hub, std::string_view lock, Settlement settlement, Done<> done) = 0;
  /// Called (any thread) when feedback of a hub is ready to be received. One listener.
  virtual void on_feedback(std::function<void(const std::string& hub)> listener) = 0;
};

}  // namespace picket::hub
