// The subscriptions of a session, as they are stored.
#pragma once

#include <bit>
#include <cstdint>

#include "mqtt/packet.h"
#include "mqtt/topic.h"

namespace picket::hub {

/// One bit a filter, and its granted QoS one bit further up (hub/sessions.h).
class FilterSet {
 public:
  FilterSet() = default;
  explicit FilterSet(std::uint32_t mask) : mask_(mask) {}

  [[nodiscard]] bool has(mqtt::Filter filter) const { return (mask_ & bit(filter)) != 0; }
  /// At most once when it is not there.
  [[nodiscard]] mqtt::QoS qos(mqtt::Filter filter) const {
    return (mask_ & bit(filter) << kQosShift) != 0 ? mqtt::QoS::at_least_once : mqtt::QoS::at_most_once;
  }
  /// QoS 2 is granted as 1.
  void add(mqtt::Filter filter, mqtt::QoS qos) {
    remove(filter);
    mask_ |= bit(filter);
    if (qos != mqtt::QoS::at_most_once) mask_ |= bit(filter) << kQosShift;
  }
  void remove(mqtt::Filter filter) { mask_ &= ~(bit(filter) | bit(filter) << kQosShift); }
  [[nodiscard]] std::uint32_t mask() const { return mask_; }
  [[nodiscard]] int count() const { return std::popcount(mask_ & 0xffU); }

  friend bool operator==(FilterSet, FilterSet) = default;

 private:
  static constexpr unsigned kQosShift = 8;
  static std::uint32_t bit(mqtt::Filter filter) { return 1U << static_cast<unsigned>(filter); }
  std::uint32_t mask_ = 0;
};

}  // namespace picket::hub
