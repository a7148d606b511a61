// isolate and release: the device talks to its hub and to nobody else, for a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "action.h"
#include "agent/event_loop.h"
#include "base/core/json_reader.h"
#include "nft_message.h"

namespace picket::agent {

inline constexpr std::string_view kIsolationTable = "picket_isolation";
inline constexpr std::size_t kIsolationAllowMax = 32;
inline constexpr Duration kIsolationDefault = Duration::hours(1), kIsolationMax = Duration::days(7);

/// "192.0.2.0/24", "2001:db8::1". nullopt: no address or network.
std::optional<Network> parse_network(std::string_view text);
/// Addresses behind "nameserver" in the text of resolv.conf.
std::vector<IpAddress> parse_name_servers(std::string_view resolv_conf);

/// What gets through.
struct IsolationRules {
  std::vector<Endpoint> hub;  ///< Addresses and TCP ports that the hub was reached at.
  std::vector<IpAddress> name_servers;
  std::vector<Network> allow;
};
/// Takes the place of the table, if there is one: drops everything, also what is forwarded, but loopback, the hub, name
/// servers, DHCP, neighbour discovery and what says that packets are too big. Without state, so connections that were
/// there before are cut too.
NftBatch isolation_batch(const IsolationRules& rules);
NftBatch release_batch();

/// In force until release() or its time, also while the agent is stopped and over a restart of the device: then from
/// the agent's start on. A clock that went back cannot make it longer than it was asked for. One thread: the loop's.
class Isolation {
 public:
  struct Places {
    std::string state_file;
    std::vector<std::string> resolv_conf{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};
  };
  /// Gets what is to be said when time, not a command, has ended it, or when it could not be put in force again.
  using OnEnd = std::function<void(bool released, std::string_view command_id, const std::string& text)>;

  Isolation(EventLoop& loop, Places places, OnEnd on_end);

  /// At the start: goes on with what a former run left.
  void resume();
  /// {"durationSeconds": 1 to 604800?, "allow": ["CIDR", …]?}. `hub` is where the command came from.
  ActionResult isolate(const Json& arguments, const Endpoint& hub, std::string_view command_id);
  ActionResult release();
  /// The uplink goes to this address now: isolation lets it through too.
  void hub_at(const Endpoint& hub);

  [[nodiscard]] bool in_force() const { return in_force_; }
  [[nodiscard]] Timestamp until() const { return until_; }

 private:
  Result<> apply();
  Result<> save() const;
  void set_timer();
  void on_time();
  void add_hub(const Endpoint& hub);

  EventLoop& loop_;
  Places places_;
  OnEnd on_end_;
  std::uint32_t timer_;
  bool in_force_ = false;
  Timestamp until_;
  Duration asked_;
  std::string command_id_;
  IsolationRules rules_;
};

/// Without a running agent: ends the isolation of `data_dir`. The error is a text for people.
ActionResult release_isolation(const std::string& data_dir);

}  // namespace picket::agent
