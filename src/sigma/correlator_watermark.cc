// Correlations that wait until a window cannot change any more.
#include <algorithm>
#include <cmath>
#include <functional>

#include "correlator_impl.h"

namespace picket::sigma {
namespace {

/// How late windows of a mode are decided, counted from their match.
std::int64_t delay(const Plan& plan) { return plan.mode == Plan::Mode::window_after ? plan.timespan_us : 0; }

}  // namespace

/// Puts the decision about the first match that waits into the heap.
void Correlator::Impl::wait(CorrelationIndex correlation, std::uint32_t number, std::uint32_t place) {
  const Group& group = table_.at(number);
  auto& heap = due_[correlation];
  // Groups that were forgotten leave entries behind; they must not pile up.
  if (heap.size() > 2 * table_.size() + 1'024) {
    std::erase_if(heap, [&](const Due& due) { return table_.at(due.group).hash != due.hash; });
    std::ranges::make_heap(heap, std::greater<>{});
  }
  heap.push_back({group.entries()[place].time() + delay(plans_[correlation]), number, group.hash});
  std::ranges::push_heap(heap, std::greater<>{});
}

void Correlator::Impl::advance(Timestamp watermark, std::vector<Happening>& out) {
  if (watermark.us <= watermark_) return;
  watermark_ = watermark.us;
  watermark_dirty_ = true;
  // Each correlation stands behind those it refers to, so what they tell is there when it is decided.
  for (CorrelationIndex i = 0; i < plans_.size(); ++i) {
    auto& heap = due_[i];
    while (!heap.empty() && heap.front().time < watermark_) {
      const Due due = heap.front();
      std::ranges::pop_heap(heap, std::greater<>{});
      heap.pop_back();
      const Group& group = table_.at(due.group);
      if (group.alive && group.hash == due.hash && group.correlation == i) decide_due(i, due.group, out);
    }
  }
  horizon_ = watermark_;
  for (CorrelationIndex i = 0; i < plans_.size(); ++i) {
    const std::int64_t oldest = watermark_ - plans_[i].timespan_us;
    for (std::uint32_t number = table_.oldest(static_cast<std::uint16_t>(i));
         number != kNoGroup && table_.at(number).last < oldest; number = table_.oldest(static_cast<std::uint16_t>(i))) {
      forget_group(number);
    }
  }
  keep_budget();
}

void Correlator::Impl::decide_due(CorrelationIndex correlation, std::uint32_t number, std::vector<Happening>& out) {
  if (plans_[correlation].mode == Plan::Mode::window_after) {
    decide_after(correlation, number, out);
  } else {
    decide_before(correlation, number, out);
  }
  Group& group = table_.at(number);
  mark_dirty(number, group);
  std::uint32_t place = 0;
  while (place < group.size && group.entries()[place].has(Entry::kDecided)) ++place;
  if (place < group.size) wait(correlation, number, place);
}

/// Average, percentile or share over [time - timespan, time] of every match that the watermark has passed.
void Correlator::Impl::decide_before(CorrelationIndex correlation, std::uint32_t number, std::vector<Happening>& out) {
  const Plan& plan = plans_[correlation];
  Group& group = table_.at(number);
  Entry* entries = group.entries();
  const std::uint64_t* values = group.values();
  std::uint32_t i = 0;
  while (i < group.size && entries[i].has(Entry::kDecided)) ++i;
  if (i == group.size) return;
  std::uint32_t begin = i;
  while (begin > 0 && entries[begin - 1].time() >= entries[i].time() - plan.timespan_us) --begin;
  __int128 sum = 0;
  sorted_.clear();
  walked_.clear();
  const auto add = [&](std::uint64_t value) {
    const auto number_of = static_cast<std::int64_t>(value);
    if (plan.measure == Plan::Measure::average) sum += number_of;
    if (plan.measure == Plan::Measure::percentile)
      sorted_.insert(std::ranges::upper_bound(sorted_, number_of), number_of);
    if (plan.measure == Plan::Measure::share) walked_.add(value);
  };
  const auto remove = [&](std::uint64_t value) {
    const auto number_of = static_cast<std::int64_t>(value);
    if (plan.measure == Plan::Measure::average) sum -= number_of;
    if (plan.measure == Plan::Measure::percentile) sorted_.erase(std::ranges::lower_bound(sorted_, number_of));
    if (plan.measure == Plan::Measure::share) walked_.remove(value);
  };
  for (std::uint32_t k = begin; k < i; ++k) add(values[k]);
  std::vector<Happening> found;
  for (; i < group.size && entries[i].time() < watermark_; ++i) {
    add(values[i]);
    while (entries[begin].time() < entries[i].time() - plan.timespan_us) remove(values[begin++]);
    const auto count = static_cast<double>(i - begin + 1);
    double measure = 0;
    if (plan.measure == Plan::Measure::average) {
      measure = static_cast<double>(sum) / count / kMillionths;
    } else if (plan.measure == Plan::Measure::percentile) {
      const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(plan.percentile / 100 * count)));
      measure = static_cast<double>(sorted_[rank - 1]) / kMillionths;
    } else {
      measure = 100 * static_cast<double>(walked_.count(values[i])) / count;
    }
    entries[i].set(Entry::kDecided);
    if (!satisfies(plan, measure)) continue;
    found.push_back({correlation, std::string(group.key_text().substr(2)),
                     Timestamp{entries[i].time() - plan.timespan_us}, Timestamp{entries[i].time()}, entries[i].ref,
                     measure});
  }
  for (Happening& happening : found) happen(std::move(happening), nullptr, false, out);
}

/// Number, different values or sum over [time, time + timespan] of every match whose window the watermark has passed.
void Correlator::Impl::decide_after(CorrelationIndex correlation, std::uint32_t number, std::vector<Happening>& out) {
  const Plan& plan = plans_[correlation];
  Group& group = table_.at(number);
  const Entry* entries = group.entries();
  const std::uint64_t* values = plan.with_values() ? group.values() : nullptr;
  __int128 sum = 0;
  walked_.clear();
  std::uint32_t end = 0;
  std::uint32_t i = 0;
  std::vector<Happening> found;
  for (; i < group.size && entries[i].time() + plan.timespan_us < watermark_; ++i) {
    for (; end < group.size && entries[end].time() <= entries[i].time() + plan.timespan_us; ++end) {
      if (plan.measure == Plan::Measure::sum) sum += static_cast<std::int64_t>(values[end]);
      if (plan.measure == Plan::Measure::distinct) walked_.add(values[end]);
    }
    double measure = end - i;
    if (plan.measure == Plan::Measure::sum) measure = static_cast<double>(sum) / kMillionths;
    if (plan.measure == Plan::Measure::distinct) measure = static_cast<double>(walked_.distinct());
    if (satisfies(plan, measure)) {
      found.push_back({correlation, std::string(group.key_text().substr(2)), Timestamp{entries[i].time()},
                       Timestamp{entries[i].time() + plan.timespan_us}, entries[i].ref, measure});
    }
    if (plan.measure == Plan::Measure::sum) sum -= static_cast<std::int64_t>(values[i]);
    if (plan.measure == Plan::Measure::distinct) walked_.remove(values[i]);
  }
  GroupTable::drop_front(group, i);
  for (Happening& happening : found) happen(std::move(happening), nullptr, false, out);
}

}  // namespace picket::sigma
