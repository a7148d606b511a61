// Programs that call home by the clock. A day's connections to one destination are scored; a destination that few
// devices know, and none for long, counts for more.
#include "behavior/beacon.h"

#include <algorithm>
#include <cmath>

#include "base/core/hash.h"
#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr std::int64_t kHour = 3'600'000'000;
constexpr std::size_t kHoursKept = 25;  ///< A day, and the hour that goes on.
constexpr std::size_t kGapsMax = 64;    ///< Different ones of an hour.
constexpr std::size_t kSizesMax = 32;
constexpr std::size_t kDestinationsMax = 65'536;
constexpr std::size_t kDevicesMax = 64;  ///< Noted of one destination; more are as good as everybody.

/// Scores, spec: detection, beacon score. Below a day of watching only a very regular pace is worth an alert.
constexpr double kLow = 0.7;
constexpr double kMedium = 0.9;
constexpr double kModifier = 0.15;
constexpr double kFastRegularity = 0.8;
constexpr std::uint64_t kFastConnections = 20;
constexpr Duration kFastSpan = Duration::minutes(5);
constexpr double kRare = 0.02;
constexpr double kCommon = 0.5;
constexpr std::size_t kFleetMin = 20;  ///< With fewer devices, how many know a destination says nothing.
constexpr Duration kNew = Duration::days(7);
constexpr Duration kOld = Duration::days(30);

/// Connections of one hour, of all records whose first happening lies in it.
struct Hour {
  std::int64_t number = 0;  ///< Since 1970.
  std::uint64_t connections = 0;
  std::map<std::uint64_t, std::uint64_t> gaps;
  std::map<std::uint64_t, std::uint64_t> sizes;
  std::map<std::uint64_t, std::uint64_t> spans;  ///< First happening -> last, us: gaps between records.
  static auto fields(auto& self) { return std::tie(self.number, self.connections, self.gaps, self.sizes, self.spans); }
};

/// Of one destination of one device; of one destination of a hub; or of the hub's devices (`devices` only).
struct Destination {
  std::vector<Hour> hours;
  std::vector<std::uint64_t> devices;  ///< Hashes, sorted.
  Timestamp first;
  std::uint64_t band = 0;  ///< Reported so far: 1 fast, 2 low, 3 medium.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.hours, self.devices, self.first, self.band, self.last); }
};

class Beacon final : public RememberingDetector<Destination> {
 public:
  Beacon() : RememberingDetector("behavior.beacon", kDestinationsMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override {
    if ((now.us / 60'000'000) % 60 == 0) forget_older(now - Duration::days(60));
  }

 private:
  Hour& hour_of(Entry& entry, std::int64_t number);
  void note(Entry& entry, const DetectorEvent& event);
  std::size_t know(const std::string& key, const DetectorEvent& event);
};

/// Rounded to two digits, as the agent does.
std::uint64_t rounded(std::uint64_t value) {
  std::uint64_t scale = 1;
  while (value / scale >= 100) scale *= 10;
  return (value + scale - 1) / scale * scale;
}

std::vector<std::int64_t> numbers_of(const std::optional<Json>& details, std::string_view name) {
  std::vector<std::int64_t> out;
  const auto list = details ? details->find(name) : std::nullopt;
  if (list) {
    list->for_items([&](Json item) {
      if (out.size() < 64) out.push_back(item.integer().value_or(0));
    });
  }
  return out;
}

void add(std::map<std::uint64_t, std::uint64_t>& histogram, std::size_t most, std::uint64_t value,
         std::uint64_t times) {
  if (times == 0) return;
  if (histogram.size() < most || histogram.contains(value)) histogram[value] += times;
}

Hour& Beacon::hour_of(Entry& entry, std::int64_t number) {
  const auto at = std::ranges::lower_bound(entry.hours, number, {}, &Hour::number);
  if (at != entry.hours.end() && at->number == number) return *at;
  const auto made = entry.hours.insert(at, Hour{.number = number});
  return *made;
}

void Beacon::note(Entry& entry, const DetectorEvent& event) {
  const TimeSpan span = span_of(event);
  const std::uint64_t hits = hits_of(event);
  const auto details = event.details();
  const auto hourly = numbers_of(details, "HourlyCounts");
  const std::int64_t begin = span.first.us / kHour;
  const std::int64_t end = std::min(span.last.us / kHour, begin + 23);
  std::uint64_t counted = 0;
  for (std::int64_t number = begin; number <= end && hourly.size() == 24; ++number) {
    const auto count =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, hourly[static_cast<std::size_t>(number % 24)]));
    if (count > 0) hour_of(entry, number).connections += count;
    counted += count;
  }
  Hour& hour = hour_of(entry, begin);
  if (counted == 0) hour.connections += hits;
  const auto gaps = numbers_of(details, "GapsMs");
  const auto times = numbers_of(details, "GapCounts");
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const std::int64_t count = i < times.size() ? times[i] : 1;
    if (gaps[i] > 0 && count > 0) {
      add(hour.gaps, kGapsMax, static_cast<std::uint64_t>(gaps[i]), static_cast<std::uint64_t>(count));
    }
  }
  const std::int64_t sent = event.integer(Field::BytesOut, -1);
  const auto median = details ? details->find("BytesOutMedian") : std::nullopt;
  const std::int64_t typical = median     ? median->integer().value_or(0)
                               : sent < 0 ? -1
                                          : sent / static_cast<std::int64_t>(hits);
  if (typical >= 0) add(hour.sizes, kSizesMax, static_cast<std::uint64_t>(typical), hits);
  auto& spans = hour.spans;
  spans[static_cast<std::uint64_t>(span.first.us)] = static_cast<std::uint64_t>(span.last.us);
  if (spans.size() > kGapsMax) spans.erase(spans.begin());
  while (entry.hours.size() > kHoursKept) entry.hours.erase(entry.hours.begin());
}

/// How many devices are noted under `key`, this one included.
std::size_t Beacon::know(const std::string& key, const DetectorEvent& event) {
  const std::uint64_t hash = fnv1a64(as_bytes(event.device.device_id));
  const Entry* known = table_.find(key);
  if (known != nullptr && std::ranges::binary_search(known->devices, hash) &&
      known->last + Duration::hours(1) > event.enqueued) {
    return known->devices.size();
  }
  Entry& entry = table_.touch(key);
  if (entry.last.us == 0) entry.first = event.enqueued;
  entry.last = event.enqueued;
  const auto at = std::ranges::lower_bound(entry.devices, hash);
  if ((at == entry.devices.end() || *at != hash) && entry.devices.size() < kDevicesMax) entry.devices.insert(at, hash);
  return entry.devices.size();
}

/// The newest day of what is kept.
BeaconSample sample_of(const Destination& entry) {
  BeaconSample sample;
  const std::int64_t newest = entry.hours.back().number;
  std::optional<std::uint64_t> before;
  for (const Hour& hour : entry.hours) {
    if (hour.number + 24 <= newest) continue;
    sample.hours[static_cast<std::size_t>(hour.number + 23 - newest)] += hour.connections;
    sample.connections += hour.connections;
    for (const auto& [gap, times] : hour.gaps) sample.gaps_ms[gap] += times;
    for (const auto& [size, times] : hour.sizes) sample.sizes[size] += times;
    for (const auto& [first, last] : hour.spans) {
      if (before && first > *before) ++sample.gaps_ms[rounded((first - *before) / 1000)];
      before = std::max(before.value_or(0), last);
    }
  }
  return sample;
}

std::string percent(double score) { return std::to_string(static_cast<int>(std::lround(score * 100))) + " %"; }

void Beacon::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  if (event.text(Field::Direction) != "Out" || address.empty() || is_loopback(address)) return;
  const auto name = event.text(Field::RemoteHostName);
  const std::string destination = (name.empty() ? address : std::string(name)) + " " +
                                  std::string(event.text(Field::RemotePort)) + "/" +
                                  std::string(event.text(Field::Protocol));
  const std::size_t fleet = know(state_key(event.device.hub, "fleet"), event);
  const std::size_t knowing = know(state_key(event.device.hub, "destination", destination), event);
  const std::string key = device_key(event, "of", destination);
  Entry& entry = table_.touch(key);
  if (entry.last.us == 0) entry.first = event.enqueued;
  entry.last = event.enqueued;
  note(entry, event);
  const BeaconSample sample = sample_of(entry);
  const BeaconScore score = score_beacon(sample);
  double total = score.total();
  const Duration known = event.enqueued - entry.first;
  const double share = static_cast<double>(knowing) / static_cast<double>(std::max<std::size_t>(1, fleet));
  if (fleet >= kFleetMin) total += share <= kRare ? kModifier : share >= kCommon ? -kModifier : 0;
  total += known <= kNew ? kModifier : known >= kOld ? -kModifier : 0;
  total = std::clamp(total, 0.0, 1.0);
  const Hour& first = entry.hours.front();
  const auto spanned = static_cast<std::int64_t>(
      first.spans.empty() ? 0 : span_of(event).last.us - static_cast<std::int64_t>(first.spans.begin()->first));
  const bool fast = sample.connections >= kFastConnections && spanned >= kFastSpan.us &&
                    score.timing >= kFastRegularity && score.size >= kFastRegularity;
  const std::uint64_t band = score.duration == 0 ? (fast ? 1 : 0) : total >= kMedium ? 3 : total >= kLow ? 2 : 0;
  const bool news = band > entry.band;
  if (news) entry.band = band;
  keep_bound();
  if (!news) return;
  Finding finding{.alert_type = "IoT_Beaconing", .group_key = destination};
  finding.start = Timestamp{first.number * kHour};
  finding.end = span_of(event).last;
  finding.count = sample.connections;
  finding.evidence.push_back(event.evidence());
  finding.properties = {{"Remote Address", address},
                        {"Destination", destination},
                        {"Score", percent(total)},
                        {"Timing", percent(score.timing)},
                        {"Size", percent(score.size)},
                        {"Duration", percent(score.duration)},
                        {"Histogram", percent(score.histogram)},
                        {"Connections", std::to_string(sample.connections)},
                        {"Devices", std::to_string(knowing) + " of " + std::to_string(fleet)},
                        {"Executable", std::string(event.text(Field::Executable))},
                        {"CommandLine", std::string(event.text(Field::CommandLine))}};
  finding.entities = {{"ip", {{"Address", address}}}};
  if (band == 3) finding.severity = "Medium";
  findings.push_back(std::move(finding));
}

}  // namespace

std::unique_ptr<Detector> make_beacon() { return std::make_unique<Beacon>(); }

}  // namespace picket::pipeline
