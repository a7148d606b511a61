// Alerts become incidents: on one device what shares an address, a file, a process or a user, or follows the kill
// chain; over devices what shares an indicator, or is raised on many of them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kill_chain.h"
#include "pipeline/alert.h"
#include "pipeline/incident.h"
#include "state_fields.h"

namespace picket::pipeline {

inline constexpr std::size_t kIncidentFactsMax = 65'536;  ///< Alerts remembered.
inline constexpr std::size_t kIncidentLinksMax = 131'072;
inline constexpr std::size_t kIncidentsMax = 16'384;
inline constexpr std::size_t kDeviceAlertsMax = 256;  ///< Of one device and day; further ones are not correlated.
/// An indicator is a campaign from so many devices on, an alert's type (Medium and above) from so many.
inline constexpr std::size_t kCampaignDevices = 3;
inline constexpr std::size_t kCampaignDevicesOfType = 5;
/// Users, processes and the kill chain join alerts that are at most so long apart.
inline constexpr Duration kIncidentGap = Duration::hours(1);

/// A function of the set of alerts as they stand, not of their order: incidents are kept by UTC day, every condition
/// stays true once it is (alerts only grow), and ids are made from what the alerts share. An incident all of whose
/// alerts are in another one says so (`merged_into`), and takes that back when it gets one that is not. Strand only.
class IncidentBook final : public StatePart {
 public:
  struct Context {
    Timestamp enqueued;
    journal::RecordId source;
  };
  /// An alert as it stands after a change; suppressed ones are not looked at. `group_key`: of its findings.
  void see(const AlertChange& alert, std::string_view group_key, const Context& context,
           std::vector<IncidentChange>& out);
  /// Once a minute of record time: changes that waited; then forgets days that are over.
  void minute(const Context& context, std::vector<IncidentChange>& out);

  [[nodiscard]] std::size_t open() const { return incidents_.size(); }
  /// Alerts and incidents forgotten or not taken in because a bound was reached.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

  std::string_view part_name() const override { return "incidents"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override;
  Result<> load(std::string_view key, Bytes value) override;

  /// What is remembered of one alert.
  struct AlertFacts {
    std::string alert_id, hub, device_id, module_id, generation_id, type, name;
    std::uint64_t weight = 0;  ///< Of its severity: 1 Informational to 4 High.
    Timestamp start, end;
    std::vector<std::string> tactics, techniques;
    std::set<std::string> links;  ///< "address 192.0.2.7", "user admin", …
    bool core = false;            ///< Linked with another alert of its device.
    bool beside = false;          ///< Informational, with something in common with one that is.
    Timestamp day, last;
    static auto fields(auto& self) {
      return std::tie(self.alert_id, self.hub, self.device_id, self.module_id, self.generation_id, self.type, self.name,
                      self.weight, self.start, self.end, self.tactics, self.techniques, self.links, self.core,
                      self.beside, self.day, self.last);
    }
  };
  /// What alerts of several devices share.
  struct Shared {
    std::set<std::string> devices;
    std::set<std::string> alerts;  ///< Keys of facts.
    Timestamp day, last;
    static auto fields(auto& self) { return std::tie(self.devices, self.alerts, self.day, self.last); }
  };
  struct Incident {
    std::string kind, key, hub, device_id, module_id, generation_id;
    std::set<std::string> members;  ///< Keys of facts.
    std::set<std::string> reasons;
    std::string merged_into;
    std::uint64_t change = 0;     ///< Number of the next change.
    std::uint64_t signature = 0;  ///< Of what the last one said.
    bool waiting = false;
    Timestamp written, day, last;
    static auto fields(auto& self) {
      return std::tie(self.kind, self.key, self.hub, self.device_id, self.module_id, self.generation_id, self.members,
                      self.reasons, self.merged_into, self.change, self.signature, self.waiting, self.written, self.day,
                      self.last);
    }
  };

 private:
  using Ids = std::set<std::string>;
  bool take_in(const AlertChange& alert, std::string_view group_key, Timestamp now, std::string& key);
  void join_device(const std::string& key, Ids& touched);
  void join_campaigns(const std::string& key, Ids& touched);
  void add_member(const std::string& id, const std::string& fact_key, Timestamp now);
  void review_merge(const std::string& id);
  void publish(const std::string& id, const Context& context, std::vector<IncidentChange>& out);
  [[nodiscard]] Ids incidents_of(const AlertFacts& facts) const;
  [[nodiscard]] bool stands(const Incident& incident) const;
  [[nodiscard]] IncidentChange describe(const std::string& id, const Incident& incident) const;
  void keep_bounds();

  KeyedTable<Stored<AlertFacts>> facts_;    ///< By hub, device, day, alert.
  KeyedTable<Stored<Shared>> shared_;       ///< By hub, day, link.
  KeyedTable<Stored<Incident>> incidents_;  ///< By id.
  Ids waiting_;
  std::uint64_t left_out_ = 0;
};

}  // namespace picket::pipeline
