// How a device connects: against itself, from two places at once, too often, or not any more.
#include <algorithm>

#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kDevicesMax = 262'144;
/// Evictions by a newer connection of the same identity.
constexpr std::uint64_t kEvictionsMin = 3;
constexpr Duration kEvictionWindow = Duration::minutes(10);
/// An eviction belongs to the connection that follows so soon.
constexpr Duration kTakeover = Duration::minutes(1);
/// Takeovers by another address, back and forth: one device has one network at a time.
constexpr std::uint64_t kFlipsMin = 2;
constexpr Duration kFlipWindow = Duration::minutes(30);
constexpr std::uint64_t kAttemptsMax = 30;
constexpr Duration kAttemptWindow = Duration::minutes(5);
/// Who was connected so long altogether has a habit; away longer than 4 times what it ever was, and an hour, is
/// unusual.
constexpr Duration kHabit = Duration::days(1);
constexpr std::int64_t kGapFactor = 4;
constexpr Duration kGapMin = Duration::hours(1);

/// Happenings within a window that begins with the first of them.
struct Burst {
  Timestamp start;
  std::uint64_t count = 0;
  static auto fields(auto& self) { return std::tie(self.start, self.count); }

  /// Number within the window, this one included.
  std::uint64_t add(Timestamp now, Duration window) {
    if (count == 0 || now - start >= window) {
      start = now;
      count = 0;
    }
    return ++count;
  }
};

struct Session {
  std::string hub;
  std::string device_id;
  std::string module_id;
  std::string address;  ///< Of the newest connection.
  std::optional<Timestamp> evicted;
  Burst evictions;
  Burst flips;
  Burst attempts;
  std::uint64_t open = 0;  ///< Connections now.
  Timestamp since;         ///< Of the newest connection.
  Duration connected;      ///< Altogether, ended ones.
  Duration gap_max;
  std::optional<Timestamp> gone;  ///< Since when it is away.
  bool reported = false;          ///< This time away.
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.hub, self.device_id, self.module_id, self.address, self.evicted, self.evictions, self.flips,
                    self.attempts, self.open, self.since, self.connected, self.gap_max, self.gone, self.reported,
                    self.last);
  }
};

class Sessions final : public Remembering<Session> {
 public:
  Sessions() : Remembering("hub.sessions", kDevicesMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.device.device_id.empty()) return;
    const std::string key = state_key(record.device.hub, record.device.device_id, record.device.module_id);
    if (record.audit) {
      if (record.kind == "device.delete") table_.erase(key);
      return;
    }
    const bool failed = record.kind == "auth_failed";
    if (!record.proven && !(failed && table_.find(key) != nullptr)) return;
    if (record.kind != "connect" && record.kind != "disconnect" && record.kind != "evicted" && !failed) return;
    Entry& session = table_.touch(key);
    session.hub = record.device.hub;
    session.device_id = record.device.device_id;
    session.module_id = record.device.module_id;
    session.last = record.enqueued;
    if (record.kind == "evicted") see_eviction(session, record, findings);
    if (record.kind == "disconnect") see_end(session, record);
    if (record.kind == "connect" || failed) see_attempt(session, record, findings);
    if (record.kind == "connect") see_connect(session, record, findings);
    keep_bound();
  }

  void minute(Timestamp now, HubFindings& findings) override {
    std::vector<std::string> due;
    for (const auto& [key, session] : table_.entries()) {
      if (session.gone && !session.reported && session.connected >= kHabit && now - *session.gone > patience(session)) {
        due.push_back(key);
      }
    }
    for (const std::string& key : due) {
      Entry& session = table_.touch(key);
      session.reported = true;
      HubFinding found;
      found.device = {session.hub, session.device_id, session.module_id, ""};
      found.finding.alert_type = "IoT_DisconnectedUnusuallyLong";
      found.finding.start = found.finding.end = *session.gone;
      found.finding.evidence_count = 0;
      found.finding.properties = {{"Disconnected At", format_rfc3339(*session.gone)},
                                  {"Longest Before Seconds", std::to_string(session.gap_max.whole_seconds())},
                                  {"Remote Address", session.address}};
      findings.alerts.push_back(std::move(found));
    }
  }

 private:
  static Duration patience(const Entry& session) { return std::max(kGapMin, session.gap_max * kGapFactor); }

  static void see_eviction(Entry& session, const HubRecord& record, HubFindings& findings) {
    session.evicted = record.enqueued;
    const std::uint64_t count = session.evictions.add(record.enqueued, kEvictionWindow);
    if (count < kEvictionsMin) return;
    HubFinding found = finding_of(record, "IoT_ConflictingClientIds");
    found.finding.start = session.evictions.start;
    found.finding.end = record.time;
    found.finding.count = count == kEvictionsMin ? kEvictionsMin : 1;
    findings.alerts.push_back(std::move(found));
  }
  static void see_end(Entry& session, const HubRecord& record) {
    if (session.open > 0) --session.open;
    const Duration lasted = record.connected.value_or(record.enqueued - session.since);
    if (lasted.us > 0 && session.connected < kHabit) session.connected = session.connected + lasted;
    if (session.open == 0) session.gone = record.enqueued;
  }
  static void see_attempt(Entry& session, const HubRecord& record, HubFindings& findings) {
    const std::uint64_t count = session.attempts.add(record.enqueued, kAttemptWindow);
    if (count <= kAttemptsMax) return;
    HubFinding found = finding_of(record, "IoT_ConnectionAttemptRate");
    found.finding.count = count == kAttemptsMax + 1 ? count : 1;
    findings.alerts.push_back(std::move(found));
  }
  static void see_connect(Entry& session, const HubRecord& record, HubFindings& findings) {
    if (session.gone) session.gap_max = std::max(session.gap_max, record.enqueued - *session.gone);
    session.gone.reset();
    session.reported = false;
    session.since = record.enqueued;
    session.open = std::min<std::uint64_t>(session.open + 1, 1024);
    const bool takeover = session.evicted && record.enqueued - *session.evicted <= kTakeover;
    session.evicted.reset();
    const bool elsewhere = !session.address.empty() && !record.source.empty() && session.address != record.source;
    const std::string before = session.address;
    if (!record.source.empty()) session.address = record.source;
    if (!takeover || !elsewhere || session.flips.add(record.enqueued, kFlipWindow) < kFlipsMin) return;
    HubFinding found = finding_of(record, "IoT_ClonedIdentity");
    found.finding.start = session.flips.start;
    found.finding.end = std::max(session.flips.start, record.time);
    found.finding.properties.emplace_back("Other Address", before);
    found.finding.entities.push_back({"ip", {{"Address", before}}});
    findings.alerts.push_back(std::move(found));
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_sessions() { return std::make_unique<Sessions>(); }

}  // namespace picket::pipeline
