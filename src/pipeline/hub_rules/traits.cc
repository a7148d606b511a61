// What a device is like: its SDK, its protocol, the size of its messages, its clock; and when that changes.
#include <algorithm>
#include <charconv>

#include "base/core/json_writer.h"
#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kDevicesMax = 262'144;
/// A protocol that was used for so long is a habit.
constexpr Duration kHabit = Duration::days(1);
/// Message sizes: windows that make a baseline; how much larger, and by how many bytes at least, is unusual.
constexpr std::uint64_t kWindowsMin = 12;
constexpr std::uint64_t kSizeFactor = 4;
constexpr std::uint64_t kSizeStepMin = 1024;
constexpr Duration kSkewMax = Duration::minutes(5);
constexpr Duration kSkewGood = Duration::minutes(1);
constexpr std::size_t kTextBytesMax = 256;

struct Traits {
  std::string sdk;
  std::string protocol;
  Timestamp protocol_since;
  std::uint64_t windows = 0;
  std::uint64_t size_max = 0;  ///< Largest 95th percentile of the baseline.
  bool skewed = false;
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.sdk, self.protocol, self.protocol_since, self.windows, self.size_max, self.skewed, self.last);
  }
};

/// "name/1.18.3 (…)" -> name and numbers; false: it has no such form.
bool split_version(std::string_view sdk, std::string& name, std::vector<int>& numbers) {
  const auto slash = sdk.rfind('/', sdk.find(' '));
  if (slash == std::string_view::npos) return false;
  name = sdk.substr(0, slash);
  const char* at = sdk.data() + slash + 1;
  const char* end = sdk.data() + sdk.size();
  while (at != end && numbers.size() < 4) {
    int number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc{}) break;
    numbers.push_back(number);
    if (next == end || *next != '.') break;
    at = next + 1;
  }
  return !numbers.empty();
}

bool is_downgrade(std::string_view from, std::string_view to) {
  std::string name_from;
  std::string name_to;
  std::vector<int> numbers_from;
  std::vector<int> numbers_to;
  return split_version(from, name_from, numbers_from) && split_version(to, name_to, numbers_to) &&
         name_from == name_to && numbers_to < numbers_from;
}

class DeviceTraits final : public Remembering<Traits> {
 public:
  DeviceTraits() : Remembering("hub.traits", kDevicesMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.device.device_id.empty()) return;
    const std::string key = key_of(record.device);
    if (record.audit) {
      if (record.kind == "device.delete") table_.erase(key);
      return;
    }
    if (!record.proven) return;
    if (record.kind == "connect") see_connect(key, record, findings);
    if (record.is_aggregate() && record.operation == "d2c_message" && record.size_p95 > 0) {
      see_sizes(key, record, findings);
    }
    if (record.kind == "clock_skew" && record.skew) see_skew(record.device, *record.skew, record.enqueued, findings);
  }

  void see_message(const SeenMessage& message, HubFindings& findings) override {
    if (message.sent) see_skew(message.sender, *message.sent - message.enqueued, message.enqueued, findings);
  }

 private:
  static std::string key_of(const Identity& device) {
    return state_key(device.hub, device.device_id, device.module_id);
  }
  Entry& entry(const std::string& key, Timestamp now) {
    table_.touch(key).last = now;
    keep_bound();
    return table_.touch(key);
  }

  void see_connect(const std::string& key, const HubRecord& record, HubFindings& findings) {
    const Entry* known = table_.find(key);
    const std::string sdk = record.sdk.substr(0, kTextBytesMax);
    if (known != nullptr && known->sdk == sdk && known->protocol == record.protocol) return;
    Entry& device = entry(key, record.enqueued);
    if (is_downgrade(device.sdk, sdk)) {
      HubFinding found = finding_of(record, "IoT_SdkDowngrade");
      found.finding.properties.emplace_back("Before", device.sdk);
      found.finding.properties.emplace_back("After", sdk);
      findings.alerts.push_back(std::move(found));
    }
    if (!sdk.empty()) device.sdk = sdk;
    if (device.protocol == record.protocol || record.protocol.empty()) return;
    if (!device.protocol.empty() && record.enqueued - device.protocol_since >= kHabit) {
      HubFinding found = finding_of(record, "IoT_ProtocolChanged");
      found.finding.properties.emplace_back("Before", device.protocol);
      found.finding.properties.emplace_back("After", record.protocol);
      findings.alerts.push_back(std::move(found));
    }
    device.protocol = record.protocol;
    device.protocol_since = record.enqueued;
  }

  /// The baseline goes on learning from what is usual; what is not stays out of it for as long as it is new.
  void see_sizes(const std::string& key, const HubRecord& record, HubFindings& findings) {
    Entry& device = entry(key, record.enqueued);
    const bool learnt = device.windows >= kWindowsMin;
    const bool unusual =
        learnt && record.size_p95 > device.size_max * kSizeFactor && record.size_p95 - device.size_max >= kSizeStepMin;
    if (unusual) {
      HubFinding found = finding_of(record, "IoT_MessageSizeUnusual");
      found.finding.properties.emplace_back("Bytes", std::to_string(record.size_p95));
      found.finding.properties.emplace_back("Usual Bytes", std::to_string(device.size_max));
      findings.alerts.push_back(std::move(found));
      // Half way: a device that is meant to send more from now on is quiet after a few windows.
      device.size_max += (record.size_p95 - device.size_max) / 2;
      return;
    }
    ++device.windows;
    device.size_max = std::max(device.size_max, record.size_p95);
  }

  void see_skew(const Identity& sender, Duration skew, Timestamp now, HubFindings& findings) {
    const Duration off{skew.us < 0 ? -skew.us : skew.us};
    const std::string key = key_of(sender);
    const Entry* known = table_.find(key);
    const bool skewed = known != nullptr && known->skewed;
    if (skewed ? off >= kSkewGood : off <= kSkewMax) return;
    entry(key, now).skewed = !skewed;
    findings.verdicts.push_back({.type = "IoT_ClockSkew",
                                 .device = sender,
                                 .active = !skewed,
                                 .data = JsonWriter()
                                             .begin_object()
                                             .key("SkewSeconds")
                                             .value(std::to_string(skew.whole_seconds()))
                                             .end_object()
                                             .take()});
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_traits() { return std::make_unique<DeviceTraits>(); }

}  // namespace picket::pipeline
