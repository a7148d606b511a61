// How much a device sends: more to one destination than it ever did, hour after hour (data that leaves), and more
// connections to one destination than any service takes (an attack it takes part in).
#include <algorithm>
#include <cmath>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr std::int64_t kHour = 3'600'000'000;
constexpr std::size_t kHoursKept = 72;
constexpr std::size_t kHoursMin = 24;  ///< Before that nothing is known of what is usual.
constexpr double kUnusual = 6;         ///< Robust z; spec: threat catalogue.
constexpr std::int64_t kUnusualHours = 3;
constexpr double kSpreadMin = 1 << 20;  ///< Bytes: differences below it are noise.
constexpr double kScale = 0.6745;       ///< MAD of a normal distribution in standard deviations.

constexpr double kRateMin = 50;  ///< Connections per second to one address and port that no client makes.
constexpr std::uint64_t kFloodMin = 1'000;
constexpr double kRateFactor = 8;  ///< Times what is usual for it.
constexpr std::size_t kEntriesMax = 32'768;

struct HourSum {
  std::int64_t number = 0;
  std::uint64_t bytes = 0;
  static auto fields(auto& self) { return std::tie(self.number, self.bytes); }
};

struct Flow {
  std::vector<HourSum> hours;
  std::uint64_t rate_usual = 0;  ///< Connections per 1000 s, smoothed.
  std::int64_t reported = 0;     ///< Hour of the newest finding about bytes.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.hours, self.rate_usual, self.reported, self.last); }
};

class TrafficVolume final : public RememberingDetector<Flow> {
 public:
  TrafficVolume() : RememberingDetector("behavior.traffic_volume", kEntriesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override {
    if ((now.us / 60'000'000) % 60 == 0) forget_older(now - Duration::days(14));
  }

 private:
  static void see_bytes(Entry& flow, const std::string& destination, const DetectorEvent& event,
                        std::vector<Finding>& findings);
  static void see_rate(Entry& flow, const std::string& destination, const DetectorEvent& event,
                       std::vector<Finding>& findings);
};

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// Robust distance of an hour from those before it; 0 while too few are known.
double unusual(const Flow& flow, std::int64_t number) {
  std::vector<double> before;
  double here = 0;
  for (const HourSum& hour : flow.hours) {
    if (hour.number == number) here = static_cast<double>(hour.bytes);
    // The hours that are judged together are no measure of each other.
    if (hour.number <= number - kUnusualHours) before.push_back(static_cast<double>(hour.bytes));
  }
  if (before.size() < kHoursMin) return 0;
  const double median = median_of(before);
  std::vector<double> apart;
  for (const double value : before) apart.push_back(std::fabs(value - median));
  return kScale * (here - median) / std::max(median_of(apart), kSpreadMin);
}

Finding traffic_finding(std::string_view type, const std::string& destination, const DetectorEvent& event) {
  const TimeSpan span = span_of(event);
  Finding finding{.alert_type = type, .group_key = destination, .start = span.first, .end = span.last};
  finding.count = hits_of(event);
  finding.evidence.push_back(event.evidence());
  finding.properties = {{"Destination", destination},
                        {"Executable", std::string(event.text(Field::Executable))},
                        {"CommandLine", std::string(event.text(Field::CommandLine))}};
  finding.entities = {{"ip", {{"Address", normal_address(event.text(Field::RemoteAddress))}}}};
  return finding;
}

void TrafficVolume::see_bytes(Entry& flow, const std::string& destination, const DetectorEvent& event,
                              std::vector<Finding>& findings) {
  const std::int64_t sent = event.integer(Field::BytesOut, 0);
  if (sent <= 0) return;
  const std::int64_t number = span_of(event).last.us / kHour;
  auto at = std::ranges::lower_bound(flow.hours, number, {}, &HourSum::number);
  if (at == flow.hours.end() || at->number != number) at = flow.hours.insert(at, HourSum{.number = number});
  at->bytes += static_cast<std::uint64_t>(sent);
  while (flow.hours.size() > kHoursKept) flow.hours.erase(flow.hours.begin());
  if (flow.reported >= number) return;
  double least = kUnusual + 1;
  for (std::int64_t back = 0; back < kUnusualHours; ++back) least = std::min(least, unusual(flow, number - back));
  if (least <= kUnusual) return;
  flow.reported = number;
  Finding finding = traffic_finding("IoT_UnusualUpload", destination, event);
  finding.properties.emplace_back("Robust Z", std::to_string(static_cast<int>(unusual(flow, number))));
  finding.properties.emplace_back("Hours In A Row", std::to_string(kUnusualHours));
  finding.properties.emplace_back("Hours Learned", std::to_string(flow.hours.size()));
  findings.push_back(std::move(finding));
}

void TrafficVolume::see_rate(Entry& flow, const std::string& destination, const DetectorEvent& event,
                             std::vector<Finding>& findings) {
  const TimeSpan span = span_of(event);
  const std::uint64_t hits = hits_of(event);
  const double seconds = std::max(1.0, static_cast<double>((span.last - span.first).us) / 1e6);
  const double rate = static_cast<double>(hits) / seconds;
  const double usual = static_cast<double>(flow.rate_usual) / 1000;
  const bool flood = hits >= kFloodMin && rate >= kRateMin && rate >= usual * kRateFactor;
  // What is an attack is not learned as usual.
  if (!flood) flow.rate_usual = static_cast<std::uint64_t>((usual * 0.9 + rate * 0.1) * 1000);
  if (!flood) return;
  Finding finding = traffic_finding("IoT_DenialOfService", destination, event);
  finding.properties.emplace_back("Connections Per Second", std::to_string(static_cast<std::int64_t>(rate)));
  finding.properties.emplace_back("Usual Per Second", std::to_string(static_cast<std::int64_t>(usual)));
  finding.properties.emplace_back("Failed", std::to_string(failures_of(event)));
  findings.push_back(std::move(finding));
}

void TrafficVolume::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  if (event.text(Field::Direction) != "Out" || address.empty() || is_loopback(address)) return;
  const auto name = event.text(Field::RemoteHostName);
  const std::string destination =
      (name.empty() ? address : std::string(name)) + " " + std::string(event.text(Field::RemotePort));
  Entry& flow = table_.touch(device_key(event, destination));
  flow.last = event.enqueued;
  see_bytes(flow, destination, event, findings);
  see_rate(flow, destination, event, findings);
  keep_bound();
}

}  // namespace

std::unique_ptr<Detector> make_traffic_volume() { return std::make_unique<TrafficVolume>(); }

}  // namespace picket::pipeline
