#include "automaton.h"

#include "sigma/pattern.h"

namespace picket::sigma {

std::uint32_t Automaton::add(std::string_view literal) {
  std::uint32_t state = 0;
  for (const char c : literal) {
    const auto lower = static_cast<std::uint8_t>(fold(c));
    if (classes_[lower] == 0) {
      classes_[lower] = static_cast<std::uint8_t>(class_count_++);
      if (lower >= 'a' && lower <= 'z') classes_[lower - 32U] = classes_[lower];
    }
    std::uint32_t next = child(state, classes_[lower]);
    if (next == kNone) {
      next = static_cast<std::uint32_t>(out_.size());
      out_.push_back(kNone);
      first_.push_back(kNone);
      edges_.push_back({next, first_[state], classes_[lower]});
      first_[state] = static_cast<std::uint32_t>(edges_.size() - 1);
    }
    state = next;
  }
  if (out_[state] == kNone) {
    out_[state] = static_cast<std::uint32_t>(lengths_.size());
    lengths_.push_back(static_cast<std::uint32_t>(literal.size()));
  }
  return out_[state];
}

void Automaton::build(std::size_t table_entries_max) {
  const std::size_t states = out_.size();
  fail_.assign(states, 0);
  suffix_.assign(states, 0);
  root_.fill(0);
  std::vector<std::uint32_t> order;  // breadth first: a state's failure link is shorter than the state
  order.reserve(states);
  for (std::uint32_t edge = first_[0]; edge != kNone; edge = edges_[edge].sibling) {
    root_[edges_[edge].label] = edges_[edge].target;
    order.push_back(edges_[edge].target);
  }
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::uint32_t state = order[at];
    suffix_[state] = out_[fail_[state]] != kNone ? fail_[state] : suffix_[fail_[state]];
    for (std::uint32_t edge = first_[state]; edge != kNone; edge = edges_[edge].sibling) {
      fail_[edges_[edge].target] = step(fail_[state], edges_[edge].label);
      order.push_back(edges_[edge].target);
    }
  }
  if (states * class_count_ > table_entries_max) return;
  table_.assign(states * class_count_, 0);
  const auto entry = [&](std::uint32_t state) {
    return state * class_count_ | (out_[state] != kNone || suffix_[state] != 0 ? kHasOutput : 0);
  };
  for (std::uint32_t label = 0; label < class_count_; ++label) table_[label] = entry(root_[label]);
  for (const std::uint32_t state : order) {
    std::uint32_t* row = &table_[std::size_t{state} * class_count_];
    const std::uint32_t* fallback = &table_[std::size_t{fail_[state]} * class_count_];
    for (std::uint32_t label = 0; label < class_count_; ++label) row[label] = fallback[label];
    for (std::uint32_t edge = first_[state]; edge != kNone; edge = edges_[edge].sibling) {
      row[edges_[edge].label] = entry(edges_[edge].target);
    }
  }
}

std::size_t Automaton::memory_bytes() const {
  return sizeof *this + edges_.capacity() * sizeof(Edge) +
         4 * (first_.capacity() + out_.capacity() + suffix_.capacity() + fail_.capacity() + lengths_.capacity() +
              table_.capacity());
}

}  // namespace picket::sigma
