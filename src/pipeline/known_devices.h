#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journal/record.h"
#include "state_part.h"

namespace picket::pipeline {

inline constexpr std::size_t kDevicesMax = 262'144;
inline constexpr std::string_view kDefaultGroup = "default";

/// The security group and the model of each device, where it is not what is assumed.
class KnownDevices final : public StatePart {
 public:
  void set_group(const journal::IdentityView& identity, std::string group, Timestamp enqueued) {
    Entry& entry = table_.touch(state_key(identity.hub, identity.device_id));
    entry.group = std::move(group);
    entry.last = enqueued;
    evicted_ += evict_oldest(table_, kDevicesMax);
  }
  [[nodiscard]] std::string_view group_of(const journal::IdentityView& identity) const {
    const Entry* entry = table_.find(state_key(identity.hub, identity.device_id));
    return entry == nullptr ? kDefaultGroup : std::string_view(entry->group);
  }
  /// From SystemInformation. A device that says the same as before changes nothing.
  void set_model(const Identity& device, std::string model, Timestamp enqueued) {
    const std::string key = state_key(device.hub, device.device_id);
    const Entry* known = table_.find(key);
    if (known != nullptr && known->model == model) return;
    Entry& entry = table_.touch(key);
    entry.model = std::move(model);
    entry.last = enqueued;
    evicted_ += evict_oldest(table_, kDevicesMax);
  }
  [[nodiscard]] std::string_view model_of(const journal::IdentityView& identity) const {
    const Entry* entry = table_.find(state_key(identity.hub, identity.device_id));
    if (entry == nullptr) return kDefaultGroup;
    return entry->model.empty() ? std::string_view(entry->group) : std::string_view(entry->model);
  }
  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  std::string_view part_name() const override { return "devices"; }
  std::uint16_t part_version() const override { return 2; }
  std::vector<StateChange> take_changes() override { return table_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override { return table_.load(key, value); }

 private:
  struct Entry {
    std::string group{kDefaultGroup};
    std::string model;
    Timestamp last;
    void encode(ByteWriter& out) const {
      put_text(out, group);
      put_text(out, model);
      put_time(out, last);
    }
    static Result<Entry> decode(Cursor& in) {
      Entry out;
      TRY(out.group, get_text(in));
      TRY(out.model, get_text(in));
      TRY(out.last, get_time(in));
      return out;
    }
  };
  KeyedTable<Entry> table_;
  std::uint64_t evicted_ = 0;
};

}  // namespace picket::pipeline
