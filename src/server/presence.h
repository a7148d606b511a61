// Who is connected and when they were last heard of: in memory, since it changes with every message.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "api/live.h"
#include "api/services.h"
#include "hub/directory.h"
#include "hub/presence.h"

namespace picket::server {

/// Written by the hub (connections) and the pipeline (messages), read by the API. Any thread. Bound: kIdentitiesMax;
/// identities beyond it are served, but show no activity.
class Presence final : public hub::Presence, public api::Presence {
 public:
  static constexpr std::size_t kIdentitiesMax = 1'000'000;

  explicit Presence(api::Live& live) : live_(live) {}
  /// The directory is made after this object, since its heads report here. Until then revoke() has nothing to end.
  void attach(hub::Directory* directory);

  void connected(const Identity& identity, Timestamp time) override;
  void disconnected(const Identity& identity, Timestamp time, hub::DisconnectReason reason) override;
  /// A message of this identity was processed; `enqueued` is when the hub took it.
  void message(const Identity& identity, Timestamp enqueued);

  [[nodiscard]] api::Activity device(std::string_view hub, std::string_view device_id) const override;
  [[nodiscard]] api::Activity module(std::string_view hub, std::string_view device_id,
                                     std::string_view module_id) const override;
  void revoke(std::string_view hub, std::string_view device_id) override;
  /// Devices that are connected themselves, over any protocol that keeps a connection; modules not counted.
  [[nodiscard]] std::uint64_t connected_devices() const;

 private:
  struct Key {
    std::string hub;
    std::string device_id;
    std::string module_id;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct State {
    api::Activity activity;
    int connections = 0;  ///< The new connection may report before the old one's end.
  };
  State* find_or_add(const Identity& identity);
  void change_connections(const Identity& identity, int by);

  api::Live& live_;
  mutable std::mutex mutex_;
  std::map<Key, State> states_;
  std::uint64_t connected_devices_ = 0;
  hub::Directory* directory_ = nullptr;
};

}  // namespace picket::server
