// What a device's snapshots say, item by item: whole ones and the differences between them (docs/events.md).
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "state_fields.h"

namespace picket::pipeline {

/// One item of a snapshot that matters; what it says is up to who keeps it.
struct KnownItem {
  std::string key;
  std::string text;
  Timestamp time;  ///< Of the event that said so.
  static auto fields(auto& self) { return std::tie(self.key, self.text, self.time); }
};

struct DeviceItems {
  std::string hub, device_id, module_id, generation_id;
  std::vector<KnownItem> items;  ///< By key.
  Timestamp whole;               ///< Event time of the newest whole snapshot,
  Timestamp whole_arrived;       ///< and when it came: its events come one after the other.
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.hub, self.device_id, self.module_id, self.generation_id, self.items, self.whole,
                    self.whole_arrived, self.last);
  }
  [[nodiscard]] Identity device() const { return {hub, device_id, module_id, generation_id}; }
};

/// "added", "changed", "removed", or empty for an item of a whole snapshot.
std::string change_of(const DetectorEvent& event);

/// A detector that keeps what matters of one kind of snapshot, at most kItemsMax items a device, and judges it once a
/// message and once what a whole snapshot did not name any more is known to be gone.
class SnapshotDetector : public Remembering<DeviceItems> {
 public:
  static constexpr std::size_t kItemsMax = 512;
  static constexpr std::size_t kDevicesMax = 65'536;
  /// Events of one snapshot arrive within this time; what an older one named and this one does not is gone then.
  static constexpr Duration kSettled = Duration::minutes(1);

  explicit SnapshotDetector(std::string_view part) : Remembering(part, kDevicesMax) {}

  void see(const HubRecord& record, HubFindings& findings) override;
  void see_event(const DetectorEvent& event, HubFindings& findings) override;
  void see_empty(const DetectorEvent& event, HubFindings& findings) override;
  void message_done(HubFindings& findings) override;
  void minute(Timestamp now, HubFindings& findings) override;

 protected:
  /// Whether events of this kind are its snapshots.
  [[nodiscard]] virtual bool is_mine(message::EventKind kind) const = 0;
  /// Names the item among those of its device; empty: cannot be used.
  [[nodiscard]] virtual std::string key_of(const DetectorEvent& event) const = 0;
  /// What is to be remembered of it; empty: it does not matter.
  [[nodiscard]] virtual std::string text_of(const DetectorEvent& event) const = 0;
  /// The item says something else than before (`now` empty: it is gone).
  virtual void changed(const DetectorEvent& /*event*/, const std::string& /*key*/, std::string_view /*before*/,
                       std::string_view /*now*/, HubFindings&) {}
  /// An item that a whole snapshot does not name any more.
  virtual void gone(const DeviceItems&, const KnownItem&, Timestamp /*now*/, HubFindings&) {}
  virtual void judge(const DeviceItems& device, HubFindings& findings) = 0;

 private:
  Entry& entry_of(const DetectorEvent& event);
  void put(Entry& device, const DetectorEvent& event, std::string key, std::string text, HubFindings& findings);

  std::set<std::string> dirty_;      ///< Keys of devices that this message told of.
  std::set<std::string> unsettled_;  ///< With a whole snapshot that may not be complete; made anew from the entries.
  bool unsettled_known_ = false;
};

}  // namespace picket::pipeline
