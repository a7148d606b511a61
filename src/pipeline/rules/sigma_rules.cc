// Runs the Sigma rules in force over the events of devices, and counts what their correlations ask for.
#include "rules/sigma_rules.h"

#include <algorithm>
#include <set>

#include "base/core/hash.h"
#include "behavior/event_words.h"
#include "behavior/process_rule.h"
#include "control.h"
#include "rules/event_view.h"
#include "rules/rule_pack.h"
#include "sigma/correlator.h"
#include "sigma/matcher.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

/// A correlation over the fleet waits so long for late devices (decisions: lateness).
constexpr Duration kWatermark = Duration::minutes(5);
/// So many different alerts of one rule on one device in an hour are a rule that does not fit this device: what comes
/// then is one more alert, that says so.
constexpr std::uint64_t kGroupsMax = 200;
constexpr std::size_t kNoiseMax = 32'768;
constexpr std::size_t kEvidenceKept = 16'384;  ///< Rows that correlations may still name.
constexpr std::string_view kThrottled = "throttled";

/// Keys of the state part: what kind of entry it is.
constexpr char kFileEntry = 'f', kDisabledEntry = 'd', kCorrelatorEntry = 'c', kNoiseEntry = 'n', kEvidenceEntry = 'e';

struct Noise {
  std::int64_t hour = 0;
  std::map<std::uint64_t, std::uint64_t> groups;  ///< Hash of the group key -> 1.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.hour, self.groups, self.last); }
};

/// A row that a correlation may name.
struct Kept {
  std::uint64_t sequence = 0;
  std::uint64_t event = 0;
  std::uint64_t item = 0;
  std::string id;
  Timestamp time;
  std::string hub, device_id, module_id, generation_id;
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.sequence, self.event, self.item, self.id, self.time, self.hub, self.device_id, self.module_id,
                    self.generation_id, self.last);
  }
};

struct Text {
  std::string text;
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.text, self.last); }
};

/// What alerts of one rule have in common on one device, besides processes.
std::string group_of(const DetectorEvent& event) {
  std::string out;
  for (const Field field : {Field::Path, Field::RemoteAddress, Field::QueryName, Field::UserName, Field::LocalPort,
                            Field::VendorId, Field::ProductId, Field::InterfaceName, Field::Executable}) {
    const auto text = event.text(field);
    if (!text.empty()) out += state_key(text);
  }
  return out;
}

class SigmaRules final : public Detector, private StatePart {
 public:
  explicit SigmaRules(const Catalogue& catalogue) : catalogue_(catalogue) {}

  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void minute(Timestamp now, std::vector<DeviceFinding>& findings) override;
  void configure(const RulesChange& change) override;
  void forget(Timestamp now) override {
    noise_.erase_if([&](const std::string&, const auto& one) { return one.last < now - Duration::hours(2); });
  }
  StatePart* state() override { return this; }
  [[nodiscard]] std::uint64_t evicted() const override { return evicted_; }
  void add_loads(std::vector<RuleLoad>& out) const override;

 private:
  std::string_view part_name() const override { return "sigma"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override;
  Result<> load(std::string_view key, Bytes value) override;

  /// The rules in force, compiled when the first event needs them.
  void make();
  Finding finding_of(const RuleAlert& alert, const DetectorEvent& event);
  /// Whether it is told by the alert that stands for the rest.
  bool throttle(Finding& finding, const DetectorEvent& event);
  void count_for_correlations(sigma::RuleIndex rule, const DetectorEvent& event,
                              std::span<const sigma::EventField> fields);
  void tell(const std::vector<sigma::Happening>& happenings, std::vector<DeviceFinding>& findings);

  const Catalogue& catalogue_;
  std::shared_ptr<const RulePack> pack_;
  std::unique_ptr<sigma::Matcher> matcher_;
  std::unique_ptr<EventViews> views_;
  std::unique_ptr<sigma::Correlator> correlator_;
  std::vector<sigma::Happening> happenings_;
  std::vector<DeviceFinding> told_;
  std::vector<std::uint64_t> throttled_;  ///< By rule.
  std::vector<std::uint64_t> happened_;   ///< By correlation.
  std::vector<bool> seen_;                ///< Rules that matched this event in another view.

  KeyedTable<Stored<Text>> files_;
  KeyedTable<Stored<Text>> disabled_;
  KeyedTable<Stored<Noise>> noise_;
  KeyedTable<Stored<Kept>> evidence_;
  std::vector<std::pair<std::string, Buffer>> saved_;  ///< Of the correlator, until it is made.
  std::set<std::string> stored_;                       ///< Keys of the correlator in the checkpoint,
  std::set<std::string> gone_;                         ///< and those that must go from it.
  std::uint64_t evicted_ = 0;
};

void SigmaRules::make() {
  if (pack_ != nullptr) return;
  std::vector<RuleFile> files;
  for (const auto& [name, file] : files_.entries()) files.push_back({name, file.text});
  std::vector<std::string> disabled;
  for (const auto& [key, unused] : disabled_.entries()) disabled.push_back(key);
  pack_ = RulePack::make(files, disabled, catalogue_);
  matcher_ = std::make_unique<sigma::Matcher>(pack_->rules());
  views_ = std::make_unique<EventViews>(pack_->rules(), *matcher_);
  correlator_ = std::make_unique<sigma::Correlator>(pack_->rules());
  throttled_.assign(pack_->rules().rules().size(), 0);
  happened_.assign(pack_->rules().correlations().size(), 0);
  // An entry that cannot be read is of a rule that has changed: it starts counting anew.
  for (const auto& [key, value] : saved_) static_cast<void>(correlator_->load(key, value));
  saved_.clear();
}

Finding SigmaRules::finding_of(const RuleAlert& alert, const DetectorEvent& event) {
  const bool process = event.event.kind == EventKind::ProcessCreate;
  const std::string group = alert.info->by_user ? state_key(alert.head->key(), event.text(Field::UserName))
                            : process           ? event.groups.group_of(event)
                                                : group_of(event);
  Finding finding = process_finding(alert.info->type, event, group, alert.head->title);
  if (!process) std::erase_if(finding.properties, [](const auto& one) { return one.second.empty(); });
  if (!process && event.integer(Field::ProcessId, 0) <= 0) finding.entities.clear();
  // Rules of the pack that raise one type are one rule to whoever reads the alert.
  finding.rule = alert.own ? alert.info->type : alert.head->key();
  finding.info = alert.info;
  for (const Field field : {Field::Path, Field::RemoteAddress, Field::RemotePort, Field::QueryName, Field::LocalPort,
                            Field::VendorId, Field::ProductId, Field::InterfaceName}) {
    const auto text = event.text(field);
    if (!text.empty()) finding.properties.emplace_back(message::info(field).name, std::string(text));
  }
  if (const std::string address = normal_address(event.text(Field::RemoteAddress)); !address.empty()) {
    finding.entities.push_back({"ip", {{"Address", address}}});
  }
  return finding;
}

/// The author of a rule is named wherever its match is seen (Detection Rule License 1.1).
void name_author(Finding& finding, const sigma::Head& head) {
  finding.properties.emplace_back("Rule", head.title);
  finding.properties.emplace_back("rule.id", head.key());
  if (!head.author.empty()) finding.properties.emplace_back("rule.author", head.author);
  if (!head.license.empty()) finding.properties.emplace_back("rule.license", head.license);
  if (!head.references.empty()) finding.properties.emplace_back("rule.reference", head.references.front());
}

bool SigmaRules::throttle(Finding& finding, const DetectorEvent& event) {
  auto& noise = noise_.touch(device_key(event, finding.rule));
  const std::int64_t hour = event.enqueued.us / Duration::hours(1).us;
  if (noise.hour != hour) {
    noise.hour = hour;
    noise.groups.clear();
  }
  noise.last = event.enqueued;
  const std::uint64_t hash = fnv1a64(as_bytes(finding.group_key));
  if (noise.groups.contains(hash)) return false;
  if (noise.groups.size() < kGroupsMax) {
    noise.groups[hash] = 1;
    return false;
  }
  finding.group_key = kThrottled;
  finding.properties.emplace_back("Throttled",
                                  "more than " + std::to_string(kGroupsMax) +
                                      " different alerts of this rule in an hour; this one stands for the rest");
  return true;
}

void SigmaRules::count_for_correlations(sigma::RuleIndex rule, const DetectorEvent& event,
                                        std::span<const sigma::EventField> fields) {
  if (!correlator_->wants(rule)) return;
  const std::string name =
      std::to_string(event.row.sequence) + "/" + std::to_string(event.row.event) + "/" + std::to_string(event.row.item);
  const sigma::EventRef ref = fnv1a64(as_bytes(name));
  auto& kept = evidence_.touch(std::to_string(ref));
  kept.sequence = event.row.sequence;
  kept.event = event.row.event;
  kept.item = event.row.item;
  kept.id = std::string(event.event.id);
  kept.time = event.time;
  kept.hub = event.device.hub;
  kept.device_id = event.device.device_id;
  kept.module_id = event.device.module_id;
  kept.generation_id = event.device.generation_id;
  kept.last = event.enqueued;
  evicted_ += evict_oldest(evidence_, kEvidenceKept);
  const std::string scope = state_key(event.device.hub, event.device.device_id, event.device.generation_id);
  correlator_->see(rule, {.time = event.time, .ref = ref, .scope = scope, .fields = fields}, happenings_);
}

void SigmaRules::tell(const std::vector<sigma::Happening>& happenings, std::vector<DeviceFinding>& findings) {
  for (const sigma::Happening& happening : happenings) {
    ++happened_[happening.correlation];
    const sigma::LinkedCorrelation& linked = pack_->rules().correlations()[happening.correlation];
    const auto* kept = evidence_.find(std::to_string(happening.ref));
    if (!linked.alerts || kept == nullptr) continue;
    const RuleAlert& alert = pack_->alert_of_correlation(happening.correlation);
    DeviceFinding out{{kept->hub, kept->device_id, kept->module_id, kept->generation_id}, {}};
    Finding& finding = out.finding;
    finding.alert_type = alert.info->type;
    finding.info = alert.info;
    finding.rule = alert.head->key();
    finding.group_key = happening.group;
    finding.start = happening.begin;
    finding.end = happening.end;
    finding.evidence.push_back(
        {{kept->sequence, static_cast<std::uint32_t>(kept->event), static_cast<std::uint32_t>(kept->item)},
         kept->id,
         kept->time});
    const auto values = sigma::group_values(happening.group).values;
    const auto& names = linked.correlation.group_by;
    for (std::size_t i = 0; i < values.size() && i < names.size(); ++i) {
      finding.properties.emplace_back(names[i], values[i]);
    }
    finding.properties.emplace_back(std::string(to_string(linked.correlation.kind)),
                                    std::to_string(static_cast<std::int64_t>(happening.number)));
    finding.properties.emplace_back("Window", std::to_string(linked.correlation.timespan.us / 1'000'000) + " s");
    name_author(finding, *alert.head);
    findings.push_back(std::move(out));
  }
}

void SigmaRules::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  make();
  seen_.assign(pack_->rules().rules().size(), false);
  happenings_.clear();
  views_->see(event, [&](sigma::RouteId route, std::span<const sigma::EventField> fields) {
    for (const sigma::RuleIndex rule : matcher_->match(route, fields)) {
      // A rule that is for every log source sees an event once, however many views it has.
      if (seen_[rule]) continue;
      seen_[rule] = true;
      count_for_correlations(rule, event, fields);
      if (!pack_->rules().rules()[rule].alerts) continue;
      const RuleAlert& alert = pack_->alert_of_rule(rule);
      Finding finding = finding_of(alert, event);
      throttled_[rule] += throttle(finding, event) ? 1 : 0;
      name_author(finding, *alert.head);
      findings.push_back(std::move(finding));
    }
  });
  told_.clear();
  tell(happenings_, told_);
  for (DeviceFinding& told : told_) findings.push_back(std::move(told.finding));
  if (noise_.size() > kNoiseMax) evicted_ += evict_oldest(noise_, kNoiseMax);
}

void SigmaRules::minute(Timestamp now, std::vector<DeviceFinding>& findings) {
  if (correlator_ == nullptr) return;  // Nothing was counted yet.
  happenings_.clear();
  correlator_->advance(now - kWatermark, happenings_);
  tell(happenings_, findings);
}

void SigmaRules::configure(const RulesChange& change) {
  if (!change.sigma_rule) return;
  const RulesChange::SigmaRule& rule = *change.sigma_rule;
  if (rule.yaml) {
    rule.yaml->empty() ? files_.erase(rule.name) : static_cast<void>(files_.touch(rule.name).text = *rule.yaml);
  }
  if (rule.enabled) *rule.enabled ? disabled_.erase(rule.name) : static_cast<void>(disabled_.touch(rule.name));
  // Correlations count anew: what a rule matches may be something else now.
  correlator_.reset();
  saved_.clear();
  gone_.insert(stored_.begin(), stored_.end());
  stored_.clear();
  views_.reset();
  matcher_.reset();
  pack_.reset();
}

void SigmaRules::add_loads(std::vector<RuleLoad>& out) const {
  if (matcher_ == nullptr) return;  // no event has come since the rules changed
  const auto costs = matcher_->rule_costs();
  for (std::size_t i = 0; i < costs.size(); ++i) {
    out.push_back({.id = pack_->alert_of_rule(static_cast<sigma::RuleIndex>(i)).head->key(),
                   .looked_at = costs[i].looked_at,
                   .matches = costs[i].matches,
                   .throttled = throttled_[i],
                   .cpu_us = static_cast<std::uint64_t>(costs[i].total_us())});
  }
  for (std::size_t i = 0; i < happened_.size(); ++i) {
    const RuleAlert& alert = pack_->alert_of_correlation(static_cast<sigma::CorrelationIndex>(i));
    out.push_back({.id = alert.head->key(), .matches = happened_[i]});
  }
}

std::vector<StateChange> SigmaRules::take_changes() {
  std::vector<StateChange> out;
  const auto add = [&out](char kind, std::vector<StateChange> changes) {
    for (StateChange& change : changes) {
      change.key.insert(change.key.begin(), kind);
      out.push_back(std::move(change));
    }
  };
  add(kFileEntry, files_.take_changes());
  add(kDisabledEntry, disabled_.take_changes());
  add(kNoiseEntry, noise_.take_changes());
  add(kEvidenceEntry, evidence_.take_changes());
  if (correlator_ != nullptr) {
    for (sigma::CorrelatorChange& change : correlator_->take_changes()) {
      gone_.erase(change.key);
      change.value ? static_cast<void>(stored_.insert(change.key)) : static_cast<void>(stored_.erase(change.key));
      out.push_back({kCorrelatorEntry + change.key, std::move(change.value)});
    }
  }
  for (const std::string& key : gone_) out.push_back({kCorrelatorEntry + key, std::nullopt});
  gone_.clear();
  return out;
}

Result<> SigmaRules::load(std::string_view key, Bytes value) {
  if (key.empty()) return fail(Errc::malformed, "pipeline.state.sigma");
  const char kind = key.front();
  key.remove_prefix(1);
  switch (kind) {
    case kFileEntry:
      return files_.load(key, value);
    case kDisabledEntry:
      return disabled_.load(key, value);
    case kNoiseEntry:
      return noise_.load(key, value);
    case kEvidenceEntry:
      return evidence_.load(key, value);
    case kCorrelatorEntry:
      stored_.emplace(key);
      saved_.emplace_back(std::string(key), Buffer(value.begin(), value.end()));
      return {};
    default:
      return fail(Errc::malformed, "pipeline.state.sigma");
  }
}

}  // namespace

std::unique_ptr<Detector> make_sigma_rules() { return std::make_unique<SigmaRules>(Catalogue::builtin()); }

}  // namespace picket::pipeline
