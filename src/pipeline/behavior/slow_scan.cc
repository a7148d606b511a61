// A device that looks for others so slowly that no window of minutes sees it: threshold random walk (Jung et al. 2004)
// over first contacts of a day. Whoever knows a network is mostly answered; whoever searches it is mostly not.
#include <cmath>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

/// How often a first contact is answered for those who know their way, and for those who search.
constexpr double kAnsweredKnowing = 0.7;
constexpr double kAnsweredSearching = 0.2;
/// The walk ends here: odds of a million to one. Fifteen first contacts in vain after each other reach it.
constexpr double kOdds = 1e6;
constexpr Duration kDay = Duration::hours(24);
/// Contacts are judged when so much time has passed, in the order in which they happened: records may come late.
constexpr Duration kSettled = Duration::minutes(5);
constexpr std::size_t kContactsMax = 256;  ///< Of one device; the oldest go.
constexpr std::size_t kDevicesMax = 8'192;
constexpr std::size_t kNamesListed = 16;

/// One place that was asked for: it is answered if it ever was.
struct Contact {
  Timestamp first;
  bool answered = false;
  bool told = false;
  std::uint64_t sequence = 0;  ///< Of the row that told first.
  std::uint64_t event = 0;
  std::uint64_t item = 0;
  std::string event_id;
  static auto fields(auto& self) {
    return std::tie(self.first, self.answered, self.told, self.sequence, self.event, self.item, self.event_id);
  }
};

struct Walk {
  std::string hub, device_id, module_id, generation_id;
  std::map<std::string, Contact> contacts;  ///< By address and port.
  std::string executable;
  bool changed = false;
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.hub, self.device_id, self.module_id, self.generation_id, self.contacts, self.executable,
                    self.changed, self.last);
  }
};

using Ordered = std::vector<std::pair<const std::string*, Contact*>>;

class SlowScan final : public RememberingDetector<Walk> {
 public:
  SlowScan() : RememberingDetector("behavior.slow_scan", kDevicesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void minute(Timestamp now, std::vector<DeviceFinding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - kDay - kSettled); }

 private:
  void judge(Walk& walk, Timestamp now, std::vector<DeviceFinding>& findings);
};

void SlowScan::see(const DetectorEvent& event, std::vector<Finding>&) {
  if (event.text(Field::Direction) != "Out") return;
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  const auto port = event.text(Field::RemotePort);
  if (address.empty() || port.empty() || is_loopback(address)) return;
  Walk& walk = table_.touch(device_key(event));
  walk.hub = event.device.hub;
  walk.device_id = event.device.device_id;
  walk.module_id = event.device.module_id;
  walk.generation_id = event.device.generation_id;
  walk.last = event.enqueued;
  const TimeSpan span = span_of(event);
  const bool answered = failures_of(event) < hits_of(event);
  auto [place, fresh] = walk.contacts.try_emplace(address + " " + std::string(port));
  Contact& contact = place->second;
  if (fresh || span.first < contact.first) {
    contact.first = span.first;
    contact.sequence = event.row.sequence;
    contact.event = event.row.event;
    contact.item = event.row.item;
    contact.event_id = std::string(event.event.id);
  }
  contact.answered = contact.answered || answered;
  if (!answered) walk.executable = std::string(event.text(Field::Executable));
  walk.changed = true;
  if (walk.contacts.size() > kContactsMax) {
    const auto oldest = std::ranges::min_element(walk.contacts, {}, [](const auto& one) { return one.second.first; });
    walk.contacts.erase(oldest);
    count_evicted(1);
  }
  keep_bound();
}

void SlowScan::judge(Walk& walk, Timestamp now, std::vector<DeviceFinding>& findings) {
  std::erase_if(walk.contacts, [&](const auto& one) { return one.second.first < now - kDay - kSettled; });
  Ordered ordered;
  for (auto& [place, contact] : walk.contacts) {
    if (contact.first <= now - kSettled) ordered.emplace_back(&place, &contact);
  }
  walk.changed = ordered.size() < walk.contacts.size();  // the rest is looked at later
  std::ranges::sort(ordered, [](const auto& a, const auto& b) {
    return std::tie(a.second->first, *a.first) < std::tie(b.second->first, *b.first);
  });
  static const double kUp = std::log((1 - kAnsweredSearching) / (1 - kAnsweredKnowing));
  static const double kDown = std::log(kAnsweredSearching / kAnsweredKnowing);
  double height = 0;
  std::size_t begin = 0, end = 0;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    if (height <= 0) begin = i;
    height = std::max(0.0, height + (ordered[i].second->answered ? kDown : kUp));
    if (height >= std::log(kOdds)) end = i + 1;
  }
  if (end == 0) return;
  const std::span part(ordered.begin() + static_cast<std::ptrdiff_t>(std::min(begin, end - 1)),
                       ordered.begin() + static_cast<std::ptrdiff_t>(end));
  DeviceFinding out{{walk.hub, walk.device_id, walk.module_id, walk.generation_id}, {}};
  Finding& finding = out.finding;
  finding.alert_type = "IoT_NetworkScan";
  finding.group_key = "slow";
  finding.count = 0;
  std::vector<std::string> names;
  std::size_t in_vain = 0;
  for (const auto& [place, contact] : part) {
    if (!contact->answered) ++in_vain;
    if (!contact->answered && names.size() < kNamesListed) names.push_back(*place);
    if (contact->told) continue;
    contact->told = true;
    if (finding.count++ == 0) finding.start = contact->first;
    finding.end = contact->first;
    finding.evidence.push_back(
        {{contact->sequence, static_cast<std::uint32_t>(contact->event), static_cast<std::uint32_t>(contact->item)},
         contact->event_id,
         contact->first});
  }
  if (finding.count == 0) return;
  finding.evidence_count = finding.count;
  finding.properties = {{"First Contacts", std::to_string(part.size())},
                        {"In Vain", std::to_string(in_vain)},
                        {"Window", "24 h"},
                        {"Odds", "more than 1000000 to 1"},
                        {"Places", joined(names)},
                        {"Executable", walk.executable}};
  findings.push_back(std::move(out));
}

void SlowScan::minute(Timestamp now, std::vector<DeviceFinding>& findings) {
  std::vector<std::string> due;
  for (const auto& [key, walk] : table_.entries()) {
    if (walk.changed) due.push_back(key);
  }
  for (const std::string& key : due) judge(table_.touch(key), now, findings);
}

}  // namespace

std::unique_ptr<Detector> make_slow_scan() { return std::make_unique<SlowScan>(); }

}  // namespace picket::pipeline
