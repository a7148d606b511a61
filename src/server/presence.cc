#include "presence.h"

#include <algorithm>

namespace picket::server {

void Presence::attach(hub::Directory* directory) {
  const std::scoped_lock lock(mutex_);
  directory_ = directory;
}

Presence::State* Presence::find_or_add(const Identity& identity) {
  Key key{identity.hub, identity.device_id, identity.module_id};
  const auto found = states_.find(key);
  if (found != states_.end()) return &found->second;
  if (states_.size() >= kIdentitiesMax) return nullptr;
  return &states_[std::move(key)];
}

void Presence::change_connections(const Identity& identity, int by) {
  const std::scoped_lock lock(mutex_);
  State* state = find_or_add(identity);
  if (state == nullptr) return;
  const bool before = state->activity.connected;
  state->connections += by;
  state->activity.connected = state->connections > 0;
  if (!identity.module_id.empty() || before == state->activity.connected) return;
  state->activity.connected ? ++connected_devices_ : --connected_devices_;
}

std::uint64_t Presence::connected_devices() const {
  const std::scoped_lock lock(mutex_);
  return connected_devices_;
}

void Presence::connected(const Identity& identity, Timestamp) {
  change_connections(identity, 1);
  live_.device_changed(identity.device_id);
}

void Presence::disconnected(const Identity& identity, Timestamp, hub::DisconnectReason) {
  change_connections(identity, -1);
  live_.device_changed(identity.device_id);
}

void Presence::message(const Identity& identity, Timestamp enqueued) {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    State* state = find_or_add(identity);
    if (state == nullptr) return;
    first = !state->activity.last;
    state->activity.last = std::max(state->activity.last.value_or(enqueued), enqueued);
  }
  if (first) live_.device_changed(identity.device_id);
}

api::Activity Presence::device(std::string_view hub, std::string_view device_id) const {
  api::Activity out;
  const std::scoped_lock lock(mutex_);
  const Key from{std::string(hub), std::string(device_id), ""};
  for (auto it = states_.lower_bound(from); it != states_.end(); ++it) {
    if (it->first.hub != hub || it->first.device_id != device_id) break;
    out.connected |= it->second.activity.connected;
    if (it->second.activity.last) out.last = std::max(out.last.value_or(Timestamp{}), *it->second.activity.last);
  }
  return out;
}

api::Activity Presence::module(std::string_view hub, std::string_view device_id, std::string_view module_id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = states_.find({std::string(hub), std::string(device_id), std::string(module_id)});
  return found == states_.end() ? api::Activity{} : found->second.activity;
}

void Presence::revoke(std::string_view hub, std::string_view device_id) {
  const std::scoped_lock lock(mutex_);
  // Empty module: the device's connection and those of all its modules. Only posts to the threads of the links.
  if (directory_ != nullptr) directory_->revoke({std::string(hub), std::string(device_id), ""});
}

}  // namespace picket::server
