#include "intelligence/indicators.h"

#include <algorithm>
#include <charconv>

#include "base/core/hash.h"
#include "behavior/event_words.h"
#include "intelligence/matcher.h"
#include "intelligence/sighting_finding.h"
#include "pipeline/indicators.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using intelligence::Kind;
using intelligence::Match;
using intelligence::Matcher;
using intelligence::Observable;
using message::EventKind;
using message::Field;

/// Finds of retro-hunts are remembered so long, and so many: the same find twice counts once.
constexpr Duration kRetroMemory = Duration::days(60);
constexpr std::size_t kRetroMemoryMax = 65'536;
constexpr char kVersionEntry = 'v', kRetroEntry = 'r';

struct Version {
  std::string text;
  static auto fields(auto& self) { return std::tie(self.text); }
};
struct Told {
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.last); }
};

/// Text of ports may be a list or a range: those are no port.
std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() ? port : std::uint16_t{0};
}

class Indicators final : public Detector, private StatePart {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void use_indicators(const OpenIndicators& open) override {
    open_ = open;
    open_set();
  }
  void see_intelligence(const journal::RecordView& record, std::vector<DeviceFinding>& findings) override;
  void forget(Timestamp now) override {
    if (index_ == nullptr) open_set();  // its file may be there again
    told_.erase_if([&](const std::string&, const auto& told) { return told.last < now - kRetroMemory; });
  }
  StatePart* state() override { return this; }
  [[nodiscard]] std::uint64_t evicted() const override { return evicted_; }

 private:
  std::string_view part_name() const override { return "indicators"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override;
  Result<> load(std::string_view key, Bytes value) override;

  void open_set();
  void see_connection(const DetectorEvent& event, std::vector<Finding>& findings);
  void see_login(const DetectorEvent& event, std::vector<Finding>& findings);
  void see_look_up(const DetectorEvent& event, std::vector<Finding>& findings);
  void see_process(const DetectorEvent& event, std::vector<Finding>& findings);
  void see_hash(const DetectorEvent& event, std::string_view hex, std::vector<Finding>& findings);
  void add(SightingKind kind, std::string_view observed, const std::optional<Match>& match, const DetectorEvent& event,
           std::vector<Finding>& findings) {
    if (match) findings.push_back(finding_of(sighting_of(kind, observed, *match, *index_), event));
  }

  OpenIndicators open_;
  std::shared_ptr<const intelligence::Index> index_;
  KeyedTable<Stored<Version>> version_;  ///< One entry.
  KeyedTable<Stored<Told>> told_;
  std::uint64_t evicted_ = 0;
};

/// Without its file a set finds nothing until the file is there; the one before stays in force until then.
void Indicators::open_set() {
  const auto* version = version_.find("set");
  if (version == nullptr || !open_) return;
  if (auto opened = open_(version->text)) index_ = *std::move(opened);
}

void Indicators::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  if (index_ == nullptr) return;
  switch (event.event.kind) {
    case EventKind::ConnectionCreate:
      return see_connection(event, findings);
    case EventKind::Login:
      return see_login(event, findings);
    case EventKind::Dns:
      return see_look_up(event, findings);
    case EventKind::ProcessCreate:
      return see_process(event, findings);
    case EventKind::FileSystem:
      return see_hash(event, event.text(Field::Hash), findings);
    default:
      return;
  }
}

void Indicators::see_connection(const DetectorEvent& event, std::vector<Finding>& findings) {
  const bool out = event.text(Field::Direction) != "In";
  if (!out && event.text(Field::Result) == "Fail") return;  // turned away: the whole Internet knocks
  const auto text = event.text(Field::RemoteAddress);
  const auto address = intelligence::parse_address(text);
  if (!address) return;
  const Matcher matcher(*index_, event.enqueued);
  const std::uint16_t port = out ? port_of(event.text(Field::RemotePort)) : std::uint16_t{0};
  const auto kind = out ? SightingKind::connection : SightingKind::inbound;
  auto match = matcher.address(*address, port);
  if (!match && out && !event.text(Field::RemoteHostName).empty()) {
    if (const auto name = intelligence::parse_domain(event.text(Field::RemoteHostName))) {
      match = matcher.domain(name->key);
    }
  }
  std::string observed = intelligence::to_text(*address);
  if (port != 0) observed = intelligence::to_text(*intelligence::make_endpoint(*address, port));
  add(kind, observed, match, event, findings);
}

void Indicators::see_login(const DetectorEvent& event, std::vector<Finding>& findings) {
  if (event.text(Field::Result) != "Success" || event.text(Field::Operation) == "Logout") return;
  const auto address = intelligence::parse_address(event.text(Field::RemoteAddress));
  if (!address) return;
  add(SightingKind::login, intelligence::to_text(*address), Matcher(*index_, event.enqueued).address(*address), event,
      findings);
}

void Indicators::see_look_up(const DetectorEvent& event, std::vector<Finding>& findings) {
  const Matcher matcher(*index_, event.enqueued);
  const auto name = intelligence::parse_domain(event.text(Field::QueryName));
  if (name) {
    if (const auto match = matcher.domain(name->key)) return add(SightingKind::name, name->key, match, event, findings);
  }
  if (event.item.details.find("\"Answers\"") == std::string_view::npos) return;
  const auto details = event.details();
  const auto answers = details ? details->find("Answers") : std::nullopt;
  if (!answers) return;
  answers->for_items([&](const Json& item) {
    const auto address = intelligence::parse_address(item.text().value_or(std::string()));
    const auto match = address ? matcher.address(*address) : std::nullopt;
    const std::string observed = std::string(event.text(Field::QueryName)) + " = ";
    if (match) add(SightingKind::name, observed + intelligence::to_text(*address), match, event, findings);
  });
}

void Indicators::see_process(const DetectorEvent& event, std::vector<Finding>& findings) {
  if (event.item.details.find("\"ExecutableHash\"") != std::string_view::npos) {
    const auto details = event.details();
    const auto hash = details ? details->find("ExecutableHash") : std::nullopt;
    if (hash) see_hash(event, hash->text().value_or(std::string()), findings);
  }
  const auto line = event.text(Field::CommandLine);
  if (line.find('/') == std::string_view::npos) return;
  const Matcher matcher(*index_, event.enqueued);
  for (const Observable& url : intelligence::urls_in(line)) {
    add(SightingKind::url, url.key, matcher.any(url), event, findings);
  }
}

void Indicators::see_hash(const DetectorEvent& event, std::string_view hex, std::vector<Finding>& findings) {
  if (hex.empty()) return;
  const auto hash = intelligence::parse_file_hash(hex);
  if (!hash) return;
  add(SightingKind::file, hex, Matcher(*index_, event.enqueued).exactly(hash->kind, hash->key), event, findings);
}

void Indicators::see_intelligence(const journal::RecordView& record, std::vector<DeviceFinding>& findings) {
  const auto* name = record.property("name");
  if (name == nullptr) return;
  if (*name == kIndicators) {
    const auto* version = record.property("version");
    if (version == nullptr) return;
    version_.touch("set").text = *version;
    return open_set();
  }
  if (*name != kRetroHunt) return;
  const auto hunt = parse_retro_hunt(as_text(record.body));
  if (!hunt) return;
  for (const RetroHit& hit : hunt->hits) {
    const std::string key =
        state_key(hit.device.hub, hit.device.device_id, hit.device.generation_id, to_string(hit.sighting.kind),
                  hit.sighting.indicator, hit.sighting.observed, std::to_string(hit.first.us));
    const bool known = told_.find(key) != nullptr;
    told_.touch(key).last = record.enqueued;
    if (!known) findings.push_back({hit.device, finding_of(hit, *hunt)});
  }
  evicted_ += evict_oldest(told_, kRetroMemoryMax);
}

std::vector<StateChange> Indicators::take_changes() {
  std::vector<StateChange> out;
  for (auto& [key, value] : version_.take_changes()) out.push_back({kVersionEntry + key, std::move(value)});
  for (auto& [key, value] : told_.take_changes()) out.push_back({kRetroEntry + key, std::move(value)});
  return out;
}

Result<> Indicators::load(std::string_view key, Bytes value) {
  if (key.empty()) return fail(Errc::malformed, "pipeline.state.indicators");
  if (key[0] == kRetroEntry) return told_.load(key.substr(1), value);
  TRY_VOID(version_.load(key.substr(1), value));
  open_set();
  return {};
}

}  // namespace

std::unique_ptr<Detector> make_indicators() { return std::make_unique<Indicators>(); }

}  // namespace picket::pipeline
