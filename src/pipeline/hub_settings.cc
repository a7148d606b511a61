#include "hub_settings.h"

#include <charconv>

namespace picket::pipeline {

void HubSettings::see(const HubRecord& record) {
  if (!record.audit || !record.kind.starts_with("hub.")) return;
  if (record.kind == "hub.delete") return off_.erase(record.device.hub);
  if (!record.security_on) return;
  if (*record.security_on) {
    off_.erase(record.device.hub);
  } else {
    off_.touch(record.device.hub);
  }
}

std::int64_t HubSettings::minute() const {
  const Number* known = minute_.find("minute");
  return known == nullptr ? 0 : known->value;
}

void HubSettings::set_minute(std::int64_t minute) { minute_.touch("minute").value = minute; }

std::vector<StateChange> HubSettings::take_changes() {
  std::vector<StateChange> out;
  for (auto& [key, value] : off_.take_changes()) out.push_back({"h" + key, std::move(value)});
  for (auto& [key, value] : minute_.take_changes()) out.push_back({"m" + key, std::move(value)});
  return out;
}

Result<> HubSettings::load(std::string_view key, Bytes value) {
  if (key.starts_with('h')) return off_.load(key.substr(1), value);
  if (key.starts_with('m')) return minute_.load(key.substr(1), value);
  return fail(Errc::malformed, "pipeline.state.hub_settings");
}

bool SeenAudits::seen(std::string_view outbox_id, Bytes body) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(outbox_id.data(), outbox_id.data() + outbox_id.size(), id);
  if (error != std::errc{} || end != outbox_id.data() + outbox_id.size()) return false;
  const std::uint64_t print = siphash24({key_.k0 ^ id, key_.k1}, body);
  const std::string slot = std::to_string(id % kSlots);
  const Slot* known = slots_.find(slot);
  if (known != nullptr && known->print == print) return true;
  slots_.touch(slot).print = print;
  return false;
}

}  // namespace picket::pipeline
