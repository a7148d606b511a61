// The telemetry of one read, on its way to the journal as one append.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/telemetry.h"
#include "journal/record.h"
#include "mqtt/packet.h"
#include "mqtt/property_bag.h"

namespace picket::hub {

/// Messages of one sender, decoded and stamped. Its memory is reused; nothing is copied but what was percent-encoded,
/// so what add() was given (packet, topic, sender) must stay until clear().
class TelemetryBatch {
 public:
  /// Errors: those of decode_property_views(); limit_exceeded "hub.message.size". The batch is as before then.
  Result<> add(const Sender& sender, const mqtt::Publish& packet, std::string_view bag, Timestamp now, bool will);
  /// The last message was QoS 1 and has this number in the session.
  void expects(std::uint64_t sequence) { sequence_ = sequence; }
  void clear();

  [[nodiscard]] bool empty() const { return records_.empty(); }
  [[nodiscard]] std::size_t count() const { return records_.size(); }
  /// Bodies and properties as received.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t body_bytes() const { return body_bytes_; }
  [[nodiscard]] std::uint64_t reserved_dropped() const { return reserved_dropped_; }
  /// Of the last QoS 1 message; nullopt: there is none.
  [[nodiscard]] std::optional<std::uint64_t> sequence() const { return sequence_; }
  /// Views live until add() or clear().
  [[nodiscard]] std::span<const journal::Record> records();

  static constexpr std::size_t kMessagesMax = 256;
  static constexpr std::size_t kBytesMax = 256 * 1024;
  bool paid = false;  ///< The throttle has taken it into account.
  [[nodiscard]] std::uint64_t blocks() const;
  [[nodiscard]] bool full() const { return count() >= kMessagesMax || bytes_ >= kBytesMax; }

 private:
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<journal::Record> records_;
  std::vector<Range> ranges_;  ///< Properties of each record.
  std::vector<journal::Property> properties_;
  std::vector<mqtt::PropertyView> views_;
  std::deque<std::string> decoded_;  ///< Addresses stay; the first decoded_used_ are taken.
  std::size_t decoded_used_ = 0;
  std::size_t bytes_ = 0;
  std::size_t body_bytes_ = 0;
  std::uint64_t reserved_dropped_ = 0;
  std::optional<std::uint64_t> sequence_;
};

}  // namespace picket::hub
