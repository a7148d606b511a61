// The bounds of the spool: which segment takes an entry, and which goes for it.
#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include "spool_core.h"

namespace picket::agent {

std::uint64_t Spool::Core::bytes(bool memory_only) const {
  std::uint64_t out = 0;
  for (const Chain& chain : chains) {
    for (const auto& segment : chain.segments) {
      if (!memory_only || segment->in_memory()) out += segment->size();
    }
  }
  return out;
}

void Spool::Core::remove_segment(Chain& chain, std::size_t index) {
  Segment* segment = chain.segments[index].get();
  if (chain.at == segment || (chain.at == nullptr && index == 0)) {
    chain.at = index + 1 < chain.segments.size() ? chain.segments[index + 1].get() : nullptr;
    chain.offset = format::kSegmentHeaderBytes;
    chain.head.reset();
  }
  for (InFlight& entry : in_flight) {
    if (entry.segment == segment) entry.segment = nullptr;
  }
  // The file may be the only place that knows how far the sequence had come.
  if (!segment->in_memory()) save_state();
  segment->remove();
  chain.segments.erase(chain.segments.begin() + static_cast<std::ptrdiff_t>(index));
  if (chain.segments.empty()) chain.at = nullptr;
}

void Spool::Core::remove_if_done(Priority priority, Segment* segment) {
  Chain& chain = chains[static_cast<std::size_t>(priority)];
  if (segment->live > 0 || chain.segments.empty() || chain.segments.back().get() == segment) return;
  const auto found = std::ranges::find(chain.segments, segment, &std::unique_ptr<Segment>::get);
  if (found != chain.segments.end()) remove_segment(chain, static_cast<std::size_t>(found - chain.segments.begin()));
}

/// Entries that next() has not come to; what it has read is in flight, done, or told already.
void Spool::Core::tell_unread(const Chain& chain, std::size_t index) const {
  const Segment& segment = *chain.segments[index];
  std::uint64_t offset = format::kSegmentHeaderBytes;
  for (std::size_t i = index; chain.at != nullptr && i < chain.segments.size(); ++i) {
    if (chain.segments[i].get() != chain.at) continue;
    if (i > index) return;
    offset = chain.offset;
  }
  for (;;) {
    const auto header = segment.header_at(offset);
    if (!header || !*header) return;
    if (!is_acknowledged({segment.header().epoch, (*header)->sequence})) {
      if (const auto payload = segment.payload_at(offset, **header)) losses->lost(*payload);
    }
    offset += format::kEntryHeaderBytes + (*header)->payload_bytes;
  }
}

void Spool::Core::evict(std::size_t priority, std::size_t index) {
  Chain& chain = chains[priority];
  Segment* segment = chain.segments[index].get();
  std::uint64_t lost = segment->live;
  // What is on its way may still arrive: it counts when it would have to be sent again.
  for (const InFlight& entry : in_flight) lost -= entry.segment == segment ? 1 : 0;
  state.drops.evicted[priority] += lost;
  if (lost > 0 && losses != nullptr) tell_unread(chain, index);
  remove_segment(chain, index);
}

bool Spool::Core::evict_below(std::size_t priority_end, bool memory_only) {
  for (std::size_t priority = 0; priority < priority_end; ++priority) {
    auto& segments = chains[priority].segments;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      // A memory segment behind files goes only when the disk refuses, oldest memory first.
      if (memory_only && !segments[i]->in_memory()) continue;
      evict(priority, i);
      return true;
    }
  }
  return false;
}

bool Spool::Core::make_room(Priority priority, std::size_t needed, bool memory_only) {
  const std::size_t limit = memory_only ? std::min(options.memory_max, options.bytes_max) : options.bytes_max;
  if (needed > limit) return false;
  for (Chain& chain : chains) {  // what is done already costs nobody anything
    while (bytes(memory_only) + needed > limit && !chain.segments.empty() && chain.segments.front()->live == 0) {
      remove_segment(chain, 0);
    }
  }
  while (bytes(memory_only) + needed > limit) {
    if (!evict_below(static_cast<std::size_t>(priority) + 1, memory_only)) return false;
  }
  return true;
}

Result<Spool::Core::Segment*> Spool::Core::new_segment(Priority priority, bool in_memory) {
  std::string path;
  if (!in_memory) {
    char name[64];
    std::snprintf(name, sizeof name, "/%016llx-", static_cast<unsigned long long>(next_number++));
    path = options.directory + name + std::string(to_string(priority)) + ".spool";
  }
  TRY(auto segment, Segment::create(path, {state.epoch, state.next_sequence, priority}));
  if (in_memory && !options.directory.empty() && !state.in_memory) {
    state.in_memory = true;
    save_state();
  }
  auto& segments = chains[static_cast<std::size_t>(priority)].segments;
  segments.push_back(std::move(segment));
  return segments.back().get();
}

/// The segment that takes the entry. Errors: limit_exceeded (no room), io (this segment cannot be made).
Result<Spool::Core::Segment*> Spool::Core::room_for(Priority priority, std::size_t entry_bytes) {
  const bool memory = options.directory.empty() || disk_refuses;
  Chain& chain = chains[static_cast<std::size_t>(priority)];
  const std::size_t needed = entry_bytes + format::kSegmentHeaderBytes;
  if (!make_room(priority, needed, memory)) return fail(Errc::limit_exceeded, "spool.append.full");
  if (!chain.segments.empty()) {
    Segment* last = chain.segments.back().get();
    if (last->size() < segment_bytes && last->in_memory() == memory && last->header().epoch == state.epoch) return last;
  }
  Segment* previous = chain.segments.empty() ? nullptr : chain.segments.back().get();
  TRY(Segment * made, new_segment(priority, memory));
  if (previous != nullptr) remove_if_done(priority, previous);
  return made;
}

}  // namespace picket::agent
