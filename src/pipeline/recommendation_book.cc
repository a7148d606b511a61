#include "recommendation_book.h"

#include "base/core/check.h"

namespace picket::pipeline {

void RecommendationBook::write(Entry& entry, bool active, const Context& context, std::vector<DerivedChange>& out) {
  const RecommendationInfo* info = catalogue_.find(entry.type);
  CHECK(info != nullptr, "each type of a verdict is in content/recommendations.yaml (a test runs all)");
  if (entry.change == 0 || active != entry.written) entry.state_changed = context.enqueued;
  entry.written = active;
  RecommendationChange change;
  change.recommendation_id = make_recommendation_id(entry.hub, entry.device_id, entry.type);
  change.change = entry.change++;
  change.type = info->type;
  change.display_name = info->name;
  change.severity = info->severity(context.profile);
  change.description = info->description;
  change.remediation = info->remediation;
  change.device = {entry.hub, entry.device_id, entry.module_id, entry.generation_id};
  change.state = active ? RecommendationState::active : RecommendationState::resolved;
  change.rule = entry.rule;
  change.data = entry.data;
  change.discovered = context.enqueued;
  change.first_evaluated = entry.first;
  change.state_changed = entry.state_changed;
  if (!active) change.resolved = context.enqueued;
  change.generated = context.enqueued;
  change.source = context.source;
  out.emplace_back(std::move(change));
}

void RecommendationBook::take(const Verdict& verdict, const Context& context, std::vector<DerivedChange>& out) {
  const std::string key = state_key(verdict.device.hub, verdict.device.device_id, verdict.type);
  const Entry* known = entries_.find(key);
  if (known == nullptr && !verdict.active) return;  // nothing was ever wrong: nothing to say
  const bool on = off_.find(verdict.type) == nullptr;
  const std::string_view data =
      verdict.data.size() <= kRecommendationDataBytesMax ? std::string_view(verdict.data) : R"({"Cut":"true"})";
  if (known != nullptr && known->wanted == verdict.active && (!verdict.active || known->data == data)) return;
  Entry& entry = entries_.touch(key);
  if (known == nullptr) {
    entry.hub = verdict.device.hub;
    entry.device_id = verdict.device.device_id;
    entry.type = verdict.type;
    entry.first = context.enqueued;
  }
  entry.module_id = verdict.device.module_id;
  entry.generation_id = verdict.device.generation_id;
  entry.rule = context.rule;
  entry.wanted = verdict.active;
  if (verdict.active) entry.data = data;  // a resolved one keeps what was wrong
  entry.last = context.enqueued;
  if ((on && verdict.active) || entry.written) write(entry, on && verdict.active, context, out);
  evicted_ += evict_oldest(entries_, kRecommendationsMax);
}

void RecommendationBook::remove_device(const Identity& device, const Context& context,
                                       std::vector<DerivedChange>& out) {
  const std::string prefix = state_key(device.hub, device.device_id);
  std::vector<std::string> keys;
  for (auto at = entries_.entries().lower_bound(prefix); at != entries_.entries().end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    keys.push_back(at->first);
  }
  for (const std::string& key : keys) {
    Entry& entry = entries_.touch(key);
    entry.wanted = false;
    if (entry.written) write(entry, false, context, out);
  }
}

void RecommendationBook::set_enabled(std::string_view type, bool enabled, const Context& context,
                                     std::vector<DerivedChange>& out) {
  const RecommendationInfo* info = catalogue_.find(type);
  if (info == nullptr || (off_.find(type) == nullptr) == enabled) return;
  enabled ? off_.erase(type) : static_cast<void>(off_.touch(type));
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_.entries()) {
    if (entry.type == type && entry.wanted && entry.written != enabled) keys.push_back(key);
  }
  for (const std::string& key : keys) write(entries_.touch(key), enabled, context, out);
}

std::vector<StateChange> RecommendationBook::take_changes() {
  std::vector<StateChange> out;
  for (StateChange& change : entries_.take_changes()) {
    change.key.insert(0, 1, 'r');
    out.push_back(std::move(change));
  }
  for (StateChange& change : off_.take_changes()) {
    change.key.insert(0, 1, 'o');
    out.push_back(std::move(change));
  }
  return out;
}

Result<> RecommendationBook::load(std::string_view key, Bytes value) {
  if (key.starts_with('r')) return entries_.load(key.substr(1), value);
  if (key.starts_with('o')) return off_.load(key.substr(1), value);
  return fail(Errc::malformed, "pipeline.state.recommendations");
}

void RecommendationBook::Entry::encode(ByteWriter& out) const {
  for (const std::string* text : {&hub, &device_id, &module_id, &generation_id, &type, &rule, &data}) {
    put_text(out, *text);
  }
  out.u8(static_cast<std::uint8_t>((wanted ? 1 : 0) | (written ? 2 : 0))).le(change);
  put_time(out, first);
  put_time(out, state_changed);
  put_time(out, last);
}

Result<RecommendationBook::Entry> RecommendationBook::Entry::decode(Cursor& in) {
  Entry out;
  for (std::string* text :
       {&out.hub, &out.device_id, &out.module_id, &out.generation_id, &out.type, &out.rule, &out.data}) {
    TRY(*text, get_text(in));
  }
  TRY(const auto flags, in.u8());
  out.wanted = (flags & 1U) != 0;
  out.written = (flags & 2U) != 0;
  TRY(out.change, in.le<std::uint32_t>());
  TRY(out.first, get_time(in));
  TRY(out.state_changed, get_time(in));
  TRY(out.last, get_time(in));
  return out;
}

Result<RecommendationBook::Off> RecommendationBook::Off::decode(Cursor& in) {
  TRY_VOID(in.u8());
  return Off{};
}

}  // namespace picket::pipeline
