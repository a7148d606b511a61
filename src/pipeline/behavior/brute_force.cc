// Password guessing from one address. A true sliding window over event time: records that come late or out of order
// are put where they belong, and the verdict is that of the sorted history.
#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>

#include "base/core/json_writer.h"
#include "behavior/behavior.h"
#include "behavior/event_words.h"

namespace picket::pipeline {
namespace {

using message::Field;

/// So many failures within so long are guessing, not typing errors.
constexpr std::uint64_t kFailuresMin = 5;
constexpr Duration kFailureWindow = Duration::seconds(120);
/// A success so soon after the last of them was probably guessed.
constexpr Duration kSuccessWindow = Duration::minutes(10);
/// Records may come so much later than others of the same source.
constexpr Duration kLateness = Duration::hours(1);
constexpr std::size_t kAttemptsMax = 512;    ///< Remembered of one source.
constexpr std::size_t kSourcesMax = 65'536;  ///< Of all devices.
constexpr std::uint64_t kPointsMax = 32;     ///< An aggregated record is spread over so many points of its time span.
constexpr std::size_t kUserNamesMax = 16;
constexpr std::string_view kFailed = "IoT_BruteForceFailed";
constexpr std::string_view kSucceeded = "IoT_BruteForceSuccess";

struct Attempt {
  Timestamp time;
  std::uint64_t count = 1;  ///< Happenings at this point.
  bool success = false;
  bool reported = false;
  bool led = false;  ///< A guess that was told of as what led to a success.
  workspace::RowId row;
  std::string raw_event_id;
  Timestamp row_time;
  std::string user;

  friend bool operator<(const Attempt& a, const Attempt& b) {
    return std::tie(a.time, a.row) < std::tie(b.time, b.row);
  }
};

/// What is remembered of one source on one device.
struct Source {
  std::vector<Attempt> attempts;  ///< By time.
  Timestamp last;                 ///< Enqueued time of the newest record.

  void encode(ByteWriter& out) const {
    put_time(out, last);
    out.le(static_cast<std::uint32_t>(attempts.size()));
    for (const Attempt& attempt : attempts) {
      put_time(out, attempt.time);
      out.le(attempt.count).u8(attempt.success ? 1 : 0).u8(attempt.reported ? 1 : 0).u8(attempt.led ? 1 : 0);
      out.le(attempt.row.sequence).le(attempt.row.event).le(attempt.row.item);
      put_text(out, attempt.raw_event_id);
      put_time(out, attempt.row_time);
      put_text(out, attempt.user);
    }
  }
  static Result<Source> decode(Cursor& in) {
    Source out;
    TRY(out.last, get_time(in));
    TRY(const auto count, in.le<std::uint32_t>());
    if (count > kAttemptsMax) return fail(Errc::malformed, "pipeline.state.brute_force");
    for (std::uint32_t i = 0; i < count; ++i) {
      Attempt attempt;
      TRY(attempt.time, get_time(in));
      TRY(attempt.count, in.le<std::uint64_t>());
      TRY(const auto success, in.u8());
      TRY(const auto reported, in.u8());
      TRY(const auto led, in.u8());
      attempt.success = success != 0;
      attempt.reported = reported != 0;
      attempt.led = led != 0;
      TRY(attempt.row.sequence, in.le<std::uint64_t>());
      TRY(attempt.row.event, in.le<std::uint32_t>());
      TRY(attempt.row.item, in.le<std::uint32_t>());
      TRY(attempt.raw_event_id, get_text(in));
      TRY(attempt.row_time, get_time(in));
      TRY(attempt.user, get_text(in));
      out.attempts.push_back(std::move(attempt));
    }
    return out;
  }
};

class BruteForce final : public Detector, private StatePart {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override {
    sources_.erase_if([&](const std::string&, const Source& source) {
      return source.last < now - kFailureWindow - kSuccessWindow - kLateness;
    });
  }
  StatePart* state() override { return this; }
  std::uint64_t evicted() const override { return evicted_; }

 private:
  std::string_view part_name() const override { return "behavior.brute_force"; }
  std::uint16_t part_version() const override { return 2; }
  std::vector<StateChange> take_changes() override { return sources_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override { return sources_.load(key, value); }

  void insert(Source& source, const DetectorEvent& event, bool success, std::uint64_t count);

  KeyedTable<Source> sources_;
  std::uint64_t evicted_ = 0;
};

/// Points of one record: all at one time, or spread evenly between its first and its last happening.
void BruteForce::insert(Source& source, const DetectorEvent& event, bool success, std::uint64_t count) {
  if (count == 0) return;
  const Timestamp first = event.timestamp(Field::StartTimeUtc, event.time);
  const Timestamp last = std::max(first, event.timestamp(Field::EndTimeUtc, first));
  const std::uint64_t points = std::min(count, kPointsMax);
  for (std::uint64_t i = 0; i < points; ++i) {
    Attempt attempt{.time = first,
                    .count = count / points + (i < count % points ? 1 : 0),
                    .success = success,
                    .row = event.row,
                    .raw_event_id = std::string(event.event.id),
                    .row_time = event.time,
                    .user = std::string(event.text(Field::UserName))};
    if (points > 1) {
      const auto place = static_cast<std::int64_t>(i);
      attempt.time = first + Duration{(last - first).us * place / static_cast<std::int64_t>(points - 1)};
    }
    source.attempts.insert(std::ranges::upper_bound(source.attempts, attempt, std::less<>{}), std::move(attempt));
  }
  while (source.attempts.size() > kAttemptsMax) {
    source.attempts.erase(source.attempts.begin());
    ++evicted_;
  }
}

/// Marks which failures, of those up to `until`, lie in some window with at least kFailuresMin of them.
std::vector<bool> guessing(const std::vector<Attempt>& attempts, std::optional<Timestamp> until) {
  std::vector<bool> marks(attempts.size(), false);
  std::uint64_t sum = 0;
  std::size_t begin = 0;
  for (std::size_t end = 0; end < attempts.size(); ++end) {
    if (until && attempts[end].time > *until) break;
    if (attempts[end].success) continue;
    sum += attempts[end].count;
    for (; attempts[end].time - attempts[begin].time > kFailureWindow; ++begin) {
      if (!attempts[begin].success) sum -= attempts[begin].count;
    }
    if (sum < kFailuresMin) continue;
    for (std::size_t i = begin; i <= end; ++i) marks[i] = marks[i] || !attempts[i].success;
  }
  return marks;
}

/// Sorted, so that they do not depend on which record came first.
std::set<std::string_view> names_of(const std::vector<Attempt>& attempts, bool with_successes) {
  std::set<std::string_view> names;
  for (const Attempt& attempt : attempts) {
    if (!attempt.user.empty() && (with_successes || !attempt.success)) names.insert(attempt.user);
  }
  while (names.size() > kUserNamesMax) names.erase(std::prev(names.end()));
  return names;
}

std::string json_list(const std::set<std::string_view>& names) {
  JsonWriter out;
  out.begin_array();
  for (const auto name : names) out.value(name);
  return out.end_array().take();
}

void add_evidence(Finding& finding, const Attempt& attempt) {
  if (!finding.evidence.empty() && finding.evidence.back().row == attempt.row) return;
  for (const EvidenceRow& row : finding.evidence) {
    if (row.row == attempt.row) return;
  }
  ++finding.evidence_count;
  if (finding.evidence.size() < kEvidenceMax)
    finding.evidence.push_back({attempt.row, attempt.raw_event_id, attempt.row_time});
}

Finding make_finding(std::string_view type, const DetectorEvent& event, const std::string& address,
                     const Source& source) {
  Finding finding{.alert_type = type, .group_key = address, .count = 0, .evidence_count = 0};
  const auto text = [&](Field field) { return std::string(event.text(field)); };
  const std::int64_t process = event.integer(Field::ProcessId, -1);
  const auto names = names_of(source.attempts, type == kSucceeded);
  finding.properties = {{"Remote Address", address},
                        {"Full Source Address", json_list({address})},
                        {"Remote Port", text(Field::RemotePort)},
                        {"Local Port", text(Field::LocalPort)},
                        {"User Name", source.attempts.back().user},
                        {"User Names", json_list(names)},
                        {"Login Shell", ""},
                        {"Login Process Id", process < 0 ? "" : std::to_string(process)},
                        {"Executable", text(Field::Executable)}};
  finding.entities = {{"ip", {{"Address", address}}}};
  for (const auto name : names) finding.entities.push_back({"account", {{"Name", std::string(name)}}});
  return finding;
}

void extend(Finding& finding, const Attempt& attempt, bool first) {
  finding.start = first ? attempt.time : std::min(finding.start, attempt.time);
  finding.end = first ? attempt.time : std::max(finding.end, attempt.time);
  finding.count += attempt.count;
  add_evidence(finding, attempt);
}

/// Failures in a window of guessing that no finding has told of yet.
std::optional<Finding> report_failures(Source& source, const DetectorEvent& event, const std::string& address) {
  const auto marks = guessing(source.attempts, std::nullopt);
  std::optional<Finding> finding;
  for (std::size_t i = 0; i < source.attempts.size(); ++i) {
    Attempt& attempt = source.attempts[i];
    if (!marks[i] || attempt.reported) continue;
    const bool first = !finding;
    if (first) finding = make_finding(kFailed, event, address, source);
    attempt.reported = true;
    extend(*finding, attempt, first);
  }
  return finding;
}

/// Guesses that may have led to a success at `time`, and that no finding has told of as such.
std::vector<Attempt*> guesses_before(std::vector<Attempt>& attempts, Timestamp time) {
  const auto marks = guessing(attempts, time);
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i]) last = i;
  }
  if (!last || time - attempts[*last].time > kSuccessWindow) return {};
  std::vector<Attempt*> out;
  for (std::size_t i = 0; i <= *last; ++i) {
    if (marks[i] && attempts[*last].time - attempts[i].time <= kSuccessWindow) out.push_back(&attempts[i]);
  }
  return out;
}

/// Successes after guessing; also found when the failures arrive later than the success.
std::optional<Finding> report_successes(Source& source, const DetectorEvent& event, const std::string& address) {
  std::optional<Finding> finding;
  for (Attempt& success : source.attempts) {
    if (!success.success) continue;
    const auto guesses = guesses_before(source.attempts, success.time);
    const bool fresh = !success.reported && !guesses.empty();
    if (!fresh && std::ranges::all_of(guesses, &Attempt::led)) continue;
    const bool first = !finding;
    if (first) finding = make_finding(kSucceeded, event, address, source);
    // The success is what the alert is about: its row comes first, the guesses that led to it follow.
    if (fresh) extend(*finding, success, first);
    if (first && !fresh) finding->start = finding->end = success.time;
    for (Attempt* guess : guesses) {
      finding->start = std::min(finding->start, guess->time);
      if (!guess->led) add_evidence(*finding, *guess);
      guess->led = true;
    }
    for (auto& [name, value] : finding->properties) {
      if (name == "User Name") value = success.user;
    }
    success.reported = true;
  }
  return finding;
}

void BruteForce::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  // Guessing at the console is IoT_FailedLocalLogin's business: it has no source.
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  if (address.empty() || address == "?" || event.text(Field::Operation).starts_with("Logout")) return;
  const auto result = event.text(Field::Result);
  const bool told = result.starts_with("Fail") || result.starts_with("fail") || result.starts_with("Success") ||
                    result.starts_with("success");
  if (!told) return;
  const std::uint64_t hits = hits_of(event);
  const std::uint64_t failures = failures_of(event);
  const std::string key = device_key(event, address);
  // A success of an address that never failed is most of what there is: nothing to compare it with, but it may have
  // overtaken its failures.
  Source& source = sources_.touch(key);
  source.last = event.enqueued;
  insert(source, event, false, failures);
  if (hits > failures) insert(source, event, true, 1);
  if (source.attempts.empty()) return;
  const Timestamp oldest = source.attempts.back().time - kFailureWindow - kSuccessWindow - kLateness;
  std::erase_if(source.attempts, [&](const Attempt& attempt) { return attempt.time < oldest; });
  if (failures > 0) {
    if (auto finding = report_failures(source, event, address)) findings.push_back(*std::move(finding));
  }
  if (auto finding = report_successes(source, event, address)) findings.push_back(*std::move(finding));
  if (sources_.size() > kSourcesMax) evicted_ += evict_oldest(sources_, kSourcesMax);
}

}  // namespace

std::unique_ptr<Detector> make_brute_force() { return std::make_unique<BruteForce>(); }

}  // namespace picket::pipeline
