// Correlations that ask for enough: what they find can only grow, so it is told as soon as it is known.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "correlator_impl.h"

namespace picket::sigma {

void Correlator::Impl::decide_at_once(CorrelationIndex correlation, std::uint32_t number, std::uint32_t place,
                                      const Fed& fed, std::vector<Happening>& out) {
  const Plan& plan = plans_[correlation];
  const std::int64_t last = table_.at(number).entries()[place].time() + plan.timespan_us;
  moved_.end = TailIndex::kStale;
  // A match that came late may make the correlation hold at those after it.
  for (std::uint32_t i = place;; ++i) {
    Group& group = table_.at(number);
    if (i >= group.size || group.entries()[i].time() > last) break;
    Entry& entry = group.entries()[i];
    if (entry.has(Entry::kFull)) continue;
    // The one behind a new match has enough before it: all of that lies before the new one too, and in its window.
    const bool known = i == place && plan.measure != Plan::Measure::chain && i + 1 < group.size &&
                       group.entries()[i + 1].has(Entry::kFull);
    const Verdict found = known ? Verdict{true, true, plan.needed} : verdict(plan, group, i);
    if (found.full) entry.set(Entry::kFull);
    if (!found.holds || entry.has(Entry::kHolds)) continue;
    entry.set(Entry::kHolds);
    const double unit = plan.measure == Plan::Measure::sum ? kMillionths : 1;
    happen({correlation, std::string(group.key_text().substr(2)), Timestamp{entry.time() - plan.timespan_us},
            Timestamp{entry.time()}, entry.ref, static_cast<double>(found.measure) / unit},
           &fed, i == place, out);
  }
  moved_.end = TailIndex::kStale;
}

Correlator::Impl::Verdict Correlator::Impl::verdict(const Plan& plan, Group& group, std::uint32_t place) {
  switch (plan.measure) {
    case Plan::Measure::events:
      return count_events(plan, group, place);
    case Plan::Measure::distinct:
      return plan.walks() ? walk_values(plan, group, place) : tail_values(plan, group, place);
    case Plan::Measure::sum:
      return walk_sum(plan, group, place);
    case Plan::Measure::chain:
      return walk_chain(plan, group, place);
    case Plan::Measure::average:
    case Plan::Measure::percentile:
    case Plan::Measure::share:
      break;
  }
  return {};
}

Correlator::Impl::Verdict Correlator::Impl::count_events(const Plan& plan, const Group& group,
                                                         std::uint32_t place) const {
  const Entry* entries = group.entries();
  const std::int64_t first = entries[place].time() - plan.timespan_us;
  const std::uint64_t needed = plan.needed;
  const auto inside = [&](std::uint64_t back) { return place >= back && entries[place - back].time() >= first; };
  if (!inside(needed - 1)) return {};
  std::uint32_t begin = place - static_cast<std::uint32_t>(needed - 1);
  while (begin > 0 && entries[begin - 1].time() >= first) --begin;
  return {inside(needed), true, place - begin + 1};
}

Correlator::Impl::Verdict Correlator::Impl::walk_values(const Plan& plan, const Group& group, std::uint32_t place) {
  const Entry* entries = group.entries();
  const std::uint64_t* values = group.values();
  const std::int64_t first = entries[place].time() - plan.timespan_us;
  // Open addressing on the stack: at most kWalkMax values are ever put in.
  constexpr std::size_t kSlots = 256;
  std::uint64_t seen[kSlots];
  bool used[kSlots] = {};
  std::uint64_t distinct = 0;
  const auto put = [&](std::uint64_t value) {
    std::size_t slot = (value ^ value >> 32) % kSlots;
    while (used[slot] && seen[slot] != value) slot = (slot + 1) % kSlots;
    if (used[slot]) return;
    used[slot] = true;
    seen[slot] = value;
    ++distinct;
  };
  for (std::uint32_t i = place; i-- > 0 && entries[i].time() >= first && distinct < plan.needed;) put(values[i]);
  if (distinct >= plan.needed) return {true, true, distinct};
  put(values[place]);
  return {false, distinct >= plan.needed, distinct};
}

Correlator::Impl::Verdict Correlator::Impl::tail_values(const Plan& plan, Group& group, std::uint32_t place) {
  if (place + 1 != group.size) return move_window(plan, group, place, moved_);
  if (group.index == kNoGroup) {
    if (free_indexes_.empty()) {
      free_indexes_.push_back(static_cast<std::uint32_t>(indexes_.size()));
      indexes_.emplace_back();
    }
    group.index = free_indexes_.back();
    free_indexes_.pop_back();
  }
  TailIndex& index = indexes_[group.index];
  const std::size_t bytes = index.values.memory_bytes();
  const Verdict out = move_window(plan, group, place, index);
  index_bytes_ += index.values.memory_bytes() - bytes;
  return out;
}

/// Moves the window on by one match, or makes it anew.
Correlator::Impl::Verdict Correlator::Impl::move_window(const Plan& plan, const Group& group, std::uint32_t place,
                                                        TailIndex& window) {
  const Entry* entries = group.entries();
  const std::uint64_t* values = group.values();
  const std::int64_t first = entries[place].time() - plan.timespan_us;
  if (window.end != place) {
    window.values.clear();
    window.begin = place;
    while (window.begin > 0 && entries[window.begin - 1].time() >= first) window.values.add(values[--window.begin]);
  }
  const std::uint32_t count = window.values.add(values[place]);
  window.end = place + 1;
  std::uint32_t same_left = 0;
  for (; entries[window.begin].time() < first; ++window.begin) {
    window.values.remove(values[window.begin]);
    same_left += values[window.begin] == values[place] ? 1 : 0;
  }
  const std::uint64_t others = window.values.distinct() - (count - same_left == 1 ? 1 : 0);
  return {others >= plan.needed, window.values.distinct() >= plan.needed, window.values.distinct()};
}

Correlator::Impl::Verdict Correlator::Impl::walk_sum(const Plan& plan, const Group& group, std::uint32_t place) const {
  const Entry* entries = group.entries();
  const std::uint64_t* values = group.values();
  const std::int64_t first = entries[place].time() - plan.timespan_us;
  std::uint64_t sum = 0;  // each is below 2^63, and it ends when there is enough
  for (std::uint32_t i = place; i-- > 0 && entries[i].time() >= first && sum < plan.needed;) sum += values[i];
  const bool full = sum >= plan.needed;
  sum += values[place];
  return {full, sum >= plan.needed, sum};
}

/// The latest begin of a chain of so many different rules, in their order, that ends with this match.
Correlator::Impl::Verdict Correlator::Impl::walk_chain(const Plan& plan, const Group& group, std::uint32_t place) {
  const Entry* entries = group.entries();
  const std::uint64_t* values = group.values();
  const std::int64_t first = entries[place].time() - plan.timespan_us;
  if (values[place] + 1 < plan.needed) return {};
  constexpr std::size_t kPlaces = 33;
  // chain_[length * kPlaces + rule]: there is a chain of that length that ends with that rule.
  chain_.assign((plan.needed + 1) * kPlaces, 0);
  std::uint32_t begin = place;
  while (begin > 0 && entries[begin - 1].time() >= first) --begin;
  for (std::uint32_t i = begin; i <= place; ++i) {
    const std::uint64_t rule = values[i];
    for (std::uint64_t length = std::min<std::uint64_t>(plan.needed, rule + 1); length > 0; --length) {
      bool there = length == 1;
      for (std::uint64_t earlier = 0; earlier < rule && !there; ++earlier)
        there = chain_[(length - 1) * kPlaces + earlier] != 0;
      if (!there) continue;
      if (i == place && length == plan.needed) return {false, true, plan.needed};
      chain_[length * kPlaces + rule] = 1;
    }
  }
  return {};
}

void Correlator::Impl::compact(const Plan& plan, Group& group) {
  if (group.size <= plan.compact_at) return;
  // Not for every match: what cannot shrink now is looked at again when it has grown.
  const std::uint32_t step = std::max<std::uint32_t>(16, plan.compact_at / 2);
  if ((group.size - plan.compact_at) % step != 1 && group.size <= plan.entries_max) return;
  const std::uint32_t size = group.size;
  if (plan.mode == Plan::Mode::at_once && plan.measure != Plan::Measure::chain) compact_full(plan, group);
  if (group.size > plan.entries_max && plan.mode == Plan::Mode::at_once && plan.walks()) compact_repeats(plan, group);
  if (group.size > plan.entries_max) {
    // A sixteenth at a time, so that reaching the bound does not cost a walk for every match.
    const std::uint32_t many = group.size - plan.entries_max + plan.entries_max / 16;
    GroupTable::drop_front(group, many);
    stats_.truncated += many;
  }
  if (group.size != size && group.index != kNoGroup) indexes_[group.index].end = TailIndex::kStale;
}

/// Of matches that have enough before them, only the last ones are needed: those that are enough for what comes. A late
/// match between them has enough before it as well, which the flag of the next one tells.
void Correlator::Impl::compact_full(const Plan& plan, Group& group) {
  const Entry* entries = group.entries();
  const std::uint64_t* values = plan.with_values() ? group.values() : nullptr;
  keep_.assign(group.size, 1);
  walked_.clear();
  std::uint64_t enough = 0;
  for (std::uint32_t i = group.size; i-- > 0;) {
    const bool next_full = i + 1 == group.size || entries[i + 1].has(Entry::kFull);
    if (!entries[i].has(Entry::kFull) || !next_full) {
      walked_.clear();
      enough = 0;
    }
    const bool sure = entries[i].has(Entry::kFull) && next_full;
    bool adds = enough < plan.needed;
    if (plan.measure == Plan::Measure::distinct) adds = adds && walked_.count(values[i]) == 0;
    if (sure && !adds) {
      keep_[i] = 0;
      continue;
    }
    if (plan.measure == Plan::Measure::distinct) {
      walked_.add(values[i]);
      enough = walked_.distinct();
    } else {
      enough += plan.measure == Plan::Measure::sum ? values[i] : 1;
    }
  }
  GroupTable::retain(group, keep_);
}

/// A match between two others of the same value and within one time span adds nothing to any window that has neither.
/// Beyond the bound of a group only.
void Correlator::Impl::compact_repeats(const Plan& plan, Group& group) {
  if (plan.measure != Plan::Measure::distinct && plan.measure != Plan::Measure::chain) return;
  const Entry* entries = group.entries();
  const std::uint64_t* values = group.values();
  keep_.assign(group.size, 1);
  if (plan.measure == Plan::Measure::chain) {
    for (std::uint32_t i = 1; i + 1 < group.size; ++i) {
      if (values[i - 1] == values[i] && values[i] == values[i + 1]) keep_[i] = 0;
    }
  } else {
    // By value: the kept one before, and the one after that is next.
    std::unordered_map<std::uint64_t, std::pair<std::uint32_t, std::uint32_t>> last;  // kept, candidate
    for (std::uint32_t i = 0; i < group.size; ++i) {
      const auto [found, fresh] = last.try_emplace(values[i], std::pair{i, i});
      if (fresh) continue;
      auto& [kept, candidate] = found->second;
      if (candidate != kept && entries[i].time() - entries[kept].time() <= plan.timespan_us) {
        keep_[candidate] = 0;
      } else {
        kept = candidate;
      }
      candidate = i;
    }
  }
  stats_.truncated += static_cast<std::uint64_t>(std::ranges::count(keep_, 0));
  GroupTable::retain(group, keep_);
}

}  // namespace picket::sigma
