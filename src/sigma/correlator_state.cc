// State of correlations as keys and blobs: one a group, and the watermark.
#include "base/core/byte_writer.h"
#include "base/core/cursor.h"
#include "correlator_impl.h"

namespace picket::sigma {
namespace {

constexpr std::string_view kWatermarkKey = "w";
constexpr std::uint8_t kFormat = 1;

/// "g", the key of the correlation's document, then scope and values: stable when other rules come and go.
std::string saved_key(const RuleSet& rules, std::string_view group_key) {
  const auto index = static_cast<std::uint8_t>(group_key[0]) |
                     static_cast<std::uint32_t>(static_cast<std::uint8_t>(group_key[1])) << 8;
  std::string out = "g";
  add_key_part(out, rules.correlations()[index].correlation.head.key());
  out += group_key.substr(2);
  return out;
}

}  // namespace

std::vector<CorrelatorChange> Correlator::Impl::take_changes() {
  std::vector<CorrelatorChange> out;
  // First what is gone: a group that came anew under the same key follows.
  for (const std::string& key : gone_) out.push_back({saved_key(rules_, key), std::nullopt});
  gone_.clear();
  for (const std::uint32_t number : dirty_) {
    Group& group = table_.at(number);
    if (!group.alive || !group.dirty) continue;
    group.dirty = false;
    group.saved = true;
    CorrelatorChange change{saved_key(rules_, group.key_text()), std::nullopt};
    ByteWriter writer(change.value.emplace());
    writer.u8(kFormat).u8(group.with_values ? 1 : 0).le(group.size);
    for (std::uint32_t i = 0; i < group.size; ++i) {
      writer.le(static_cast<std::uint64_t>(group.entries()[i].stamp)).le(group.entries()[i].ref);
      if (group.with_values) writer.le(group.values()[i]);
    }
    out.push_back(std::move(change));
  }
  dirty_.clear();
  if (watermark_dirty_) {
    CorrelatorChange change{std::string(kWatermarkKey), std::nullopt};
    ByteWriter(change.value.emplace()).u8(kFormat).le(static_cast<std::uint64_t>(watermark_));
    out.push_back(std::move(change));
    watermark_dirty_ = false;
  }
  return out;
}

Result<> Correlator::Impl::load(std::string_view key, Bytes value) {
  Cursor in(value);
  TRY(const auto format, in.u8());
  if (format != kFormat) return fail(Errc::unsupported, "sigma.correlator.format");
  if (key == kWatermarkKey) {
    TRY(const auto watermark, in.le<std::uint64_t>());
    watermark_ = horizon_ = static_cast<std::int64_t>(watermark);
    return in.empty() ? Result<>{} : fail(Errc::malformed, "sigma.correlator.watermark");
  }
  Cursor at(key);
  TRY(const auto mark, at.u8());
  if (mark != 'g') return fail(Errc::malformed, "sigma.correlator.key");
  TRY(const auto name_size, at.le<std::uint32_t>());
  TRY(const auto name, at.take_text(name_size));
  CorrelationIndex correlation = 0;
  while (correlation < plans_.size() && rules_.correlations()[correlation].correlation.head.key() != name)
    ++correlation;
  if (correlation == plans_.size()) return {};
  const Plan& plan = plans_[correlation];
  TRY(const auto with_values, in.u8());
  TRY(const auto count, in.le<std::uint32_t>());
  if ((with_values != 0) != plan.with_values()) return {};  // the rule has become one of another kind
  if (count > kGroupEntriesMax || in.remaining() != std::size_t{count} * (plan.with_values() ? 24 : 16)) {
    return fail(Errc::malformed, "sigma.correlator.entries");
  }
  key_.clear();
  key_ += static_cast<char>(correlation & 0xFF);
  key_ += static_cast<char>(correlation >> 8);
  key_ += as_text(at.take_rest());
  const std::uint32_t number = group_of(correlation);
  Group& group = table_.at(number);
  for (std::uint32_t i = 0; i < count; ++i) {
    Entry entry;
    TRY(const auto stamp, in.le<std::uint64_t>());
    entry.stamp = static_cast<std::int64_t>(stamp);
    TRY(entry.ref, in.le<std::uint64_t>());
    std::uint64_t counted = 0;
    if (plan.with_values()) {
      TRY(counted, in.le<std::uint64_t>());
      if (plan.measure == Plan::Measure::chain && counted >= 32) return fail(Errc::malformed, "sigma.correlator.place");
    }
    std::uint32_t place = 0;
    if (!insert(plan, group, entry, counted, place) || place != i)
      return fail(Errc::malformed, "sigma.correlator.order");
  }
  group.saved = true;
  if (plan.mode == Plan::Mode::at_once) return {};
  for (std::uint32_t place = 0; place < group.size; ++place) {
    if (group.entries()[place].has(Entry::kDecided)) continue;
    wait(correlation, number, place);
    break;
  }
  return {};
}

}  // namespace picket::sigma
