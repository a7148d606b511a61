// What would be sent, live: `picket-agent events` sees events on their way to the outbox.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "agent/control.h"
#include "agent/event_encoder.h"

namespace picket::agent {

/// Passes every event on, keeps the last ones, and shows them to followers: lines of JSON,
/// {"priority":"urgent","event":{…}}. A follower that reads too slowly loses events and is told how many by
/// {"lost":12}. One thread.
class EventTap final : public EventSink {
 public:
  static constexpr std::size_t kRecentMax = 64, kRecentBytes = 48 << 10;  ///< Kept all the time.
  static constexpr std::size_t kFollowersMax = 4;

  /// Both outlive the tap.
  EventTap(EventSink& next, ControlServer& control) : next_(next), control_(control) {}

  void deliver(Priority priority, std::string_view event) override;

  /// The kept events, oldest first, one a line.
  [[nodiscard]] std::string recent() const;
  /// Shows the kept events and from now on all. False: too many follow already.
  bool follow(std::uint64_t client);

 private:
  struct Follower {
    std::uint64_t client;
    std::uint64_t lost = 0;
  };
  void show(Follower& follower, const std::string& line);

  EventSink& next_;
  ControlServer& control_;
  std::deque<std::string> recent_;
  std::size_t recent_bytes_ = 0;
  std::vector<Follower> followers_;
};

}  // namespace picket::agent
