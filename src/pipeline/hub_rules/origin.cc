// Where a device connects from: a country, autonomous system or network that it never came from before.
#include <algorithm>

#include "hub_rules/hub_rules.h"
#include "prefix_table.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kDevicesMax = 262'144;
constexpr std::size_t kOriginsMax = 16;  ///< Remembered of one device.
/// New places are learnt in silence for so long.
constexpr Duration kLearning = Duration::days(1);
constexpr Duration kRefresh = Duration::hours(1);
/// Without a table a network stands for a place.
constexpr int kIpv4Length = 16;
constexpr int kIpv6Length = 32;

struct Places {
  Timestamp first;
  std::map<std::string, Timestamp> countries;  ///< Last connection.
  std::map<std::string, Timestamp> networks;
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.first, self.countries, self.networks, self.last); }
};

class OriginDetector final : public HubDetector, private StatePart {
 public:
  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.device.device_id.empty()) return;
    const std::string key = state_key(record.device.hub, record.device.device_id);
    if (record.audit) {
      if (record.kind == "device.delete") devices_.erase(key);
      return;
    }
    const auto address = parse_net_prefix(record.source);
    if (record.kind != "connect" || !record.proven || !address) return;
    const Origin* origin = table_.find(*address);
    const std::string country = origin == nullptr ? std::string() : origin->country;
    const std::string network = origin != nullptr && !origin->network.empty()
                                    ? origin->network
                                    : to_text(address->widened(address->ipv6 ? kIpv6Length : kIpv4Length));
    if (is_fresh(key, country, network, record.enqueued)) return;
    Device& device = devices_.touch(key);
    if (device.first == Timestamp{}) device.first = record.enqueued;
    device.last = record.enqueued;
    const bool learning = record.enqueued - device.first < kLearning;
    const bool had_country = !device.countries.empty();
    const bool new_country = !country.empty() && note(device.countries, country, record.enqueued);
    const bool new_network = note(device.networks, network, record.enqueued);
    if (!learning && new_country && had_country) {
      raise(record, "IoT_FirstSeenCountry", country, network, findings);
    } else if (!learning && new_network) {
      raise(record, "IoT_FirstSeenNetwork", country, network, findings);
    }
    evicted_ += evict_oldest(devices_, kDevicesMax);
  }

  void see_intelligence(const journal::RecordView& record) override {
    const auto* name = record.property("name");
    if (name == nullptr || *name != "prefixes") return;
    csv_.touch("csv").csv = as_text(record.body);
    // Places have other names now: they are learnt anew, in silence.
    devices_.erase_if([](const std::string&, const Device&) { return true; });
    table_ = PrefixTable::parse(as_text(record.body));
  }

  StatePart* state() override { return this; }
  [[nodiscard]] std::uint64_t evicted() const override { return evicted_; }

 private:
  using Device = Stored<Places>;
  struct CsvFields {
    std::string csv;
    static auto fields(auto& self) { return std::tie(self.csv); }
  };

  std::string_view part_name() const override { return "hub.origin"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override {
    std::vector<StateChange> out;
    for (auto& [key, value] : devices_.take_changes()) out.push_back({"d" + key, std::move(value)});
    for (auto& [key, value] : csv_.take_changes()) out.push_back({"t" + key, std::move(value)});
    return out;
  }
  Result<> load(std::string_view key, Bytes value) override {
    if (key.empty()) return fail(Errc::malformed, "pipeline.state.origin");
    if (key[0] == 'd') return devices_.load(key.substr(1), value);
    TRY_VOID(csv_.load(key.substr(1), value));
    table_ = PrefixTable::parse(csv_.find(key.substr(1))->csv);
    return {};
  }

  /// Known, and noted not long ago: nothing to save.
  bool is_fresh(const std::string& key, const std::string& country, const std::string& network, Timestamp now) const {
    const Device* known = devices_.find(key);
    if (known == nullptr) return false;
    const auto fresh = [&](const std::map<std::string, Timestamp>& places, const std::string& place) {
      const auto found = places.find(place);
      return found != places.end() && found->second + kRefresh > now;
    };
    return fresh(known->networks, network) && (country.empty() || fresh(known->countries, country));
  }
  /// Whether it is new. The place that was not used for longest makes room.
  static bool note(std::map<std::string, Timestamp>& places, const std::string& place, Timestamp now) {
    const bool is_new = !places.contains(place);
    places[place] = now;
    if (places.size() > kOriginsMax) {
      places.erase(std::ranges::min_element(places, {}, &std::pair<const std::string, Timestamp>::second));
    }
    return is_new;
  }
  static void raise(const HubRecord& record, std::string_view type, const std::string& country,
                    const std::string& network, HubFindings& findings) {
    HubFinding found = finding_of(record, type, country + "/" + network);
    if (!country.empty()) found.finding.properties.emplace_back("Country", country);
    found.finding.properties.emplace_back("Network", network);
    findings.alerts.push_back(std::move(found));
  }

  KeyedTable<Device> devices_;         ///< 'd' in checkpoints.
  KeyedTable<Stored<CsvFields>> csv_;  ///< One entry; 't'.
  PrefixTable table_;
  std::uint64_t evicted_ = 0;
};

}  // namespace

std::unique_ptr<HubDetector> make_origin() { return std::make_unique<OriginDetector>(); }

}  // namespace picket::pipeline
