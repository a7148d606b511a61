#include "sigma/correlator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/core/cursor.h"
#include "correlator_impl.h"
#include "test_run.h"

namespace picket::sigma {
namespace {

constexpr std::size_t kKeyBytesMax = 4'096;  ///< Of a group; what is longer is cut, value by value.

/// The order of entries: by time, ref and value; where the order of rules counts, by time, rule and ref.
bool before(const Entry& a, std::uint64_t a_value, const Entry& b, std::uint64_t b_value, bool by_value) {
  if (a.time() != b.time()) return a.time() < b.time();
  if (by_value && a_value != b_value) return a_value < b_value;
  return a.ref != b.ref ? a.ref < b.ref : a_value < b_value;
}

const Value* find(std::span<const EventField> fields, FieldId id) {
  for (const EventField& field : fields) {
    if (field.field == id) return field.value.kind == Value::Kind::null ? nullptr : &field.value;
  }
  return nullptr;
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Stands for a value that is counted. Keyed multiplication: nobody who lacks the key can choose values that are taken
/// for one. `before`: of the fields before.
std::uint64_t value_hash(SipKey key, std::uint64_t before, std::string_view text) {
  const std::uint64_t factor = key.k1 | 1;
  std::uint64_t out = mix(key.k0 ^ before, factor) ^ text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t part = 0;
    std::memcpy(&part, text.data(), 8);
    out = mix(out ^ part, factor);
  }
  std::uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  return mix(out ^ rest, factor ^ 0x9E37'79B9'7F4A'7C14);
}

std::optional<std::int64_t> millionths_of(const Value& value) {
  double number = value.kind == Value::Kind::integer ? static_cast<double>(value.integer) : value.real;
  if (value.kind == Value::Kind::text && !parse_number(value.text, number)) return std::nullopt;
  if (!(std::fabs(number) < 9e12)) return std::nullopt;
  return std::llround(number * kMillionths);
}

}  // namespace

void add_key_part(std::string& key, std::string_view part) {
  const auto size = static_cast<std::uint32_t>(part.size());
  for (int shift = 0; shift < 32; shift += 8) key += static_cast<char>(size >> shift);
  key += part;
}

GroupValues group_values(std::string_view group) {
  GroupValues out;
  std::vector<std::string> parts;
  Cursor in(group);
  while (!in.empty()) {
    const auto size = in.le<std::uint32_t>();
    if (!size) break;
    const auto text = in.take_text(*size);
    if (!text) break;
    parts.emplace_back(*text);
  }
  if (parts.empty()) return out;
  out.scope = std::move(parts.front());
  parts.erase(parts.begin());
  out.values = std::move(parts);
  return out;
}

Correlator::Impl::Impl(const RuleSet& rules, CorrelatorOptions options)
    : rules_(rules),
      options_(options),
      rule_links_(rules.rules().size()),
      correlation_links_(rules.correlations().size()),
      table_(rules.correlations().size()),
      due_(rules.correlations().size()) {
  for (CorrelationIndex i = 0; i < rules.correlations().size(); ++i) {
    const LinkedCorrelation& linked = rules.correlations()[i];
    plans_.push_back(make_plan(rules, linked));
    for (std::uint32_t link = 0; link < linked.links.size(); ++link) {
      auto& links = linked.links[link].from_correlation ? correlation_links_ : rule_links_;
      links[linked.links[link].from].push_back({i, link});
    }
  }
}

void Correlator::Impl::see(RuleIndex rule, const Occurrence& occurrence, std::vector<Happening>& out) {
  if (rule >= rule_links_.size()) return;
  for (const LinkAt at : rule_links_[rule]) feed(at, {&occurrence, 0}, out);
  keep_budget();
}

void Correlator::Impl::feed(LinkAt at, const Fed& fed, std::vector<Happening>& out) {
  const Plan& plan = plans_[at.correlation];
  const Link& link = rules_.correlations()[at.correlation].links[at.link];
  const Occurrence& occurrence = *fed.occurrence;
  ++stats_.matches;
  const bool waits = plan.mode != Plan::Mode::at_once;
  if (occurrence.time.us < horizon_ - (waits ? 0 : plan.timespan_us)) {
    ++stats_.late;
    return;
  }
  std::uint64_t value = 0;
  if (!make_key(at, occurrence) || !take_value(plan, link, occurrence, value)) {
    ++stats_.unnamed;
    return;
  }
  const std::uint32_t number = group_of(at.correlation);
  Group& group = table_.at(number);
  expire(plan, number, group);
  Entry entry{occurrence.time.us * 256, occurrence.ref};
  std::uint32_t place = 0;
  if (!insert(plan, group, entry, value, place)) {
    ++stats_.repeated;
    return;
  }
  mark_dirty(number, group);
  if (group.index != kNoGroup && place + 1 != group.size) indexes_[group.index].end = TailIndex::kStale;
  if (waits) {
    if (place == 0 || group.entries()[place - 1].has(Entry::kDecided)) wait(at.correlation, number, place);
  } else {
    decide_at_once(at.correlation, number, place, fed, out);
  }
  compact(plan, table_.at(number));
}

/// The key of the occurrence's group, into key_. False: a field is missing.
bool Correlator::Impl::make_key(LinkAt at, const Occurrence& occurrence) {
  const Link& link = rules_.correlations()[at.correlation].links[at.link];
  key_.clear();
  key_ += static_cast<char>(at.correlation & 0xFF);
  key_ += static_cast<char>(at.correlation >> 8);
  add_key_part(key_, occurrence.scope.substr(0, kKeyBytesMax));
  for (const FieldId id : link.group_by) {
    const Value* value = find(occurrence.fields, id);
    if (value == nullptr) return false;
    NumberText buffer;
    add_key_part(key_, text_of_value(*value, buffer).substr(0, kKeyBytesMax));
  }
  return true;
}

bool Correlator::Impl::take_value(const Plan& plan, const Link& link, const Occurrence& occurrence,
                                  std::uint64_t& value) {
  using Measure = Plan::Measure;
  if (plan.measure == Measure::events) return true;
  if (plan.measure == Measure::chain || link.fields.empty()) {
    value = link.place;
    return true;
  }
  if (plan.measure == Measure::distinct || plan.measure == Measure::share) {
    for (const FieldId id : link.fields) {
      const Value* found = find(occurrence.fields, id);
      if (found == nullptr) return false;
      NumberText buffer;
      value = value_hash(options_.key, value, text_of_value(*found, buffer));
    }
    return true;
  }
  const Value* found = find(occurrence.fields, link.fields.front());
  const auto number = found == nullptr ? std::nullopt : millionths_of(*found);
  if (!number || (plan.measure == Measure::sum && plan.mode == Plan::Mode::at_once && *number < 0)) return false;
  value = std::bit_cast<std::uint64_t>(*number);
  return true;
}

std::uint32_t Correlator::Impl::group_of(CorrelationIndex correlation) {
  const std::uint64_t hash = siphash24(options_.key, as_bytes(key_));
  std::uint32_t number = table_.find(hash, key_);
  if (number == kNoGroup) {
    number = table_.add(hash, key_, static_cast<std::uint16_t>(correlation), plans_[correlation].with_values());
  } else {
    table_.touch(number);
  }
  return number;
}

bool Correlator::Impl::insert(const Plan& plan, Group& group, const Entry& entry, std::uint64_t value,
                              std::uint32_t& place) {
  const Entry* entries = group.size > 0 ? group.entries() : nullptr;
  const std::uint64_t* values = group.size > 0 && plan.with_values() ? group.values() : nullptr;
  const auto value_at = [&](std::uint32_t i) { return values == nullptr ? 0 : values[i]; };
  const bool by_value = plan.measure == Plan::Measure::chain;
  std::uint32_t end = group.size;  // first entry that stands behind the new one
  if (end > 0 && before(entry, value, entries[end - 1], value_at(end - 1), by_value)) {
    std::uint32_t begin = 0;
    while (begin < end) {
      const std::uint32_t middle = begin + (end - begin) / 2;
      if (before(entry, value, entries[middle], value_at(middle), by_value)) {
        end = middle;
      } else {
        begin = middle + 1;
      }
    }
  }
  if (end > 0 && entries[end - 1].time() == entry.time() && entries[end - 1].ref == entry.ref &&
      value_at(end - 1) == value)
    return false;
  place = end;

  group.last = std::max(group.last, entry.time());
  table_.insert(group, place, entry, value);
  return true;
}

void Correlator::Impl::mark_dirty(std::uint32_t number, Group& group) {
  if (group.dirty) return;
  group.dirty = true;
  dirty_.push_back(number);
}

void Correlator::Impl::forget_group(std::uint32_t number) {
  Group& group = table_.at(number);
  if (group.saved) gone_.emplace_back(group.key_text());
  if (group.index != kNoGroup) {
    index_bytes_ -= indexes_[group.index].values.memory_bytes();
    indexes_[group.index] = TailIndex{};
    free_indexes_.push_back(group.index);
  }
  table_.erase(number);
}

/// Forgets what no window that is still open can contain.
void Correlator::Impl::expire(const Plan& plan, std::uint32_t number, Group& group) {
  if (plan.mode == Plan::Mode::window_after || group.size == 0) return;
  const std::int64_t oldest = horizon_ - plan.timespan_us;
  std::uint32_t count = 0;
  const Entry* entries = group.entries();
  while (count < group.size && entries[count].time() < oldest) ++count;
  if (count == 0) return;
  if (group.index != kNoGroup) {
    TailIndex& index = indexes_[group.index];
    const bool outside = count <= index.begin && index.end == group.size;
    index.begin = outside ? index.begin - count : 0;
    index.end = outside ? index.end - count : TailIndex::kStale;
  }
  GroupTable::drop_front(group, count);
  mark_dirty(number, group);
}

void Correlator::Impl::keep_budget() {
  while (table_.memory_bytes() + index_bytes_ > options_.memory_bytes_max && table_.size() > 1) {
    std::uint32_t stalest = kNoGroup;
    for (std::uint16_t i = 0; i < plans_.size(); ++i) {
      const std::uint32_t number = table_.oldest(i);
      if (number != kNoGroup && (stalest == kNoGroup || table_.at(number).last < table_.at(stalest).last))
        stalest = number;
    }
    forget_group(stalest);
    ++stats_.evicted;
  }
}

void Correlator::Impl::happen(Happening happening, const Fed* fed, bool same_match, std::vector<Happening>& out) {
  const CorrelationIndex correlation = happening.correlation;
  out.push_back(happening);
  const std::size_t depth = fed == nullptr ? 0 : fed->depth;
  if (correlation_links_[correlation].empty() || depth >= kChainDepthMax) return;
  const GroupValues values = group_values(happening.group);
  std::vector<EventField> fields;
  const auto& names = plans_[correlation].group_fields;
  for (std::size_t i = 0; i < names.size() && i < values.values.size(); ++i) {
    fields.push_back({names[i], Value::of(std::string_view(values.values[i]))});
  }
  // What the group does not say is known of the match itself.
  if (same_match && fed != nullptr)
    fields.insert(fields.end(), fed->occurrence->fields.begin(), fed->occurrence->fields.end());
  const Occurrence next{happening.end, happening.ref, values.scope, fields};
  for (const LinkAt at : correlation_links_[correlation]) feed(at, {&next, depth + 1}, out);
}

Correlator::Stats Correlator::Impl::stats() const {
  Stats out = stats_;
  out.groups = table_.size();
  out.memory_bytes = table_.memory_bytes() + index_bytes_;
  return out;
}

Correlator::Correlator(const RuleSet& rules, CorrelatorOptions options)
    : impl_(std::make_unique<Impl>(rules, options)) {}
Correlator::~Correlator() = default;
bool Correlator::wants(RuleIndex rule) const { return impl_->wants(rule); }
void Correlator::see(RuleIndex rule, const Occurrence& occurrence, std::vector<Happening>& out) {
  impl_->see(rule, occurrence, out);
}
void Correlator::advance(Timestamp watermark, std::vector<Happening>& out) { impl_->advance(watermark, out); }
Correlator::Stats Correlator::stats() const { return impl_->stats(); }
std::vector<CorrelatorChange> Correlator::take_changes() { return impl_->take_changes(); }
Result<> Correlator::load(std::string_view key, Bytes value) { return impl_->load(key, value); }

}  // namespace picket::sigma
