#include "agent/spool.h"

#include <algorithm>
#include <cerrno>

#include "spool_core.h"

namespace picket::agent {
namespace {

// A clock below this was never set (no RTC, no NTP yet): such entries have no age.
constexpr Timestamp kClockPlausible{1'577'836'800'000'000};  // 2020-01-01

bool is_full(int os_error) { return os_error == ENOSPC || os_error == EDQUOT || os_error == EFBIG; }

std::uint64_t sum(const std::array<std::uint64_t, kPriorities>& counts) {
  std::uint64_t out = 0;
  for (const std::uint64_t count : counts) out += count;
  return out;
}

}  // namespace

std::uint64_t SpoolDrops::total() const { return sum(evicted) + sum(expired) + sum(refused) + sum(corrupted); }

Spool::Spool(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Spool::Spool(Spool&&) noexcept = default;
Spool& Spool::operator=(Spool&&) noexcept = default;
Spool::~Spool() = default;

Timestamp Spool::time(const Clock& clock) {
  const Duration monotonic = clock.monotonic();
  if (!core_->clock_offset) core_->clock_offset = Duration{clock.now().us} - monotonic;
  return Timestamp{(monotonic + *core_->clock_offset).us};
}

Result<StreamId> Spool::append(Priority priority, Bytes payload, Timestamp now) {
  Core& core = *core_;
  const auto refuse = [&] {
    ++core.state.drops.refused[static_cast<std::size_t>(priority)];
    if (core.losses != nullptr) core.losses->lost(payload);
  };
  if (payload.size() > kSpoolPayloadMax) {
    refuse();
    return fail(Errc::limit_exceeded, "spool.append.size", payload.size());
  }
  Buffer entry;
  entry.reserve(format::kEntryHeaderBytes + payload.size());
  const StreamId id{core.state.epoch, core.state.next_sequence};
  format::write_entry(entry, id.sequence, now, payload);
  core.disk_refuses = false;  // the disk is asked again each time: it may have room by now
  for (;;) {
    auto segment = core.room_for(priority, entry.size());
    auto written = segment ? (*segment)->append(entry) : Result<>(std::unexpected(segment.error()));
    if (written) {
      ++(*segment)->live;
      ++core.state.next_sequence;
      return id;
    }
    if (written.error().code == Errc::limit_exceeded) {
      refuse();
      core.save_state();
      return std::unexpected(written.error());
    }
    // The disk said no. Where it is full, less important files may make room there; else memory takes it. Of a disk
    // that is read-only or broken, eviction would only lose what can still be read.
    const bool full = is_full(written.error().os_error);
    if (core.disk_refuses || (full && core.evict_below(static_cast<std::size_t>(priority), false))) continue;
    core.disk_refuses = true;
  }
}

bool Spool::Core::is_acknowledged(StreamId id) const {
  if (id.epoch != state.acknowledged_epoch) return id.epoch < state.acknowledged_epoch;
  return id.sequence <= state.acknowledged_through || std::ranges::count(state.acknowledged_above, id.sequence) > 0;
}

void Spool::Core::advance(Chain& chain) {
  chain.offset += format::kEntryHeaderBytes + chain.head->payload_bytes;
  chain.head.reset();
}

/// Reads the next entry's header that is still wanted; drops what is too old on the way.
bool Spool::Core::load_head(std::size_t priority, Timestamp now) {
  Chain& chain = chains[priority];
  while (!chain.segments.empty()) {
    if (chain.at == nullptr) chain.at = chain.segments.front().get();
    Segment* segment = chain.at;
    if (!chain.head) {
      const auto header = segment->header_at(chain.offset);
      if (!header || !*header) {  // the end, or unreadable: then what is left of this segment is lost
        if (!header) {
          std::uint64_t lost = segment->live;
          for (const InFlight& entry : in_flight) lost -= entry.segment == segment ? 1 : 0;
          state.drops.corrupted[priority] += lost;
          segment->live -= lost;
          chain.offset = segment->size();
        }
        const auto here = std::ranges::find(chain.segments, segment, &std::unique_ptr<Segment>::get);
        if (here + 1 == chain.segments.end()) return false;
        chain.at = (here + 1)->get();
        chain.offset = format::kSegmentHeaderBytes;
        remove_if_done(static_cast<Priority>(priority), segment);
        continue;
      }
      chain.head = **header;
    }
    if (is_acknowledged({segment->header().epoch, chain.head->sequence})) {
      advance(chain);
      continue;
    }
    if (chain.head->time >= kClockPlausible && now - chain.head->time > options.age_max) {
      ++state.drops.expired[priority];
      --segment->live;
      if (losses != nullptr) {
        if (const auto payload = segment->payload_at(chain.offset, *chain.head)) losses->lost(*payload);
      }
      advance(chain);
      continue;
    }
    return true;
  }
  return false;
}

std::optional<SpoolEntry> Spool::Core::give(InFlight& entry) {
  entry.to_send = false;
  const auto lost = [&](std::array<std::uint64_t, kPriorities>& counts) {
    ++counts[static_cast<std::size_t>(entry.priority)];
    return std::nullopt;
  };
  if (entry.segment == nullptr) return lost(state.drops.evicted);
  auto payload = entry.segment->payload_at(entry.offset, entry.header);
  if (!payload) {
    --entry.segment->live;
    return lost(state.drops.corrupted);
  }
  return SpoolEntry{entry.id, entry.priority, entry.header.time, *std::move(payload)};
}

std::optional<SpoolEntry> Spool::next(Timestamp now) {
  Core& core = *core_;
  for (std::size_t i = 0; i < core.in_flight.size();) {
    if (!core.in_flight[i].to_send) {
      ++i;
      continue;
    }
    if (auto entry = core.give(core.in_flight[i])) return entry;
    core.in_flight.erase(core.in_flight.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (;;) {
    if (core.in_flight.size() + core.state.acknowledged_above.size() >= kSpoolInFlightMax) return std::nullopt;
    std::optional<StreamId> lowest;
    std::size_t from = 0;
    for (std::size_t priority = 0; priority < kPriorities; ++priority) {
      if (!core.load_head(priority, now)) continue;
      const Core::Chain& chain = core.chains[priority];
      const StreamId id{chain.at->header().epoch, chain.head->sequence};
      if (!lowest || id < *lowest) {
        lowest = id;
        from = priority;
      }
    }
    if (!lowest) return std::nullopt;
    // The hub keeps one watermark a stream: an epoch begins only when the one before has ended.
    if (!core.in_flight.empty() && core.in_flight.front().id.epoch != lowest->epoch) return std::nullopt;
    Core::Chain& chain = core.chains[from];
    core.in_flight.push_back({*lowest, static_cast<Priority>(from), chain.at, chain.offset, *chain.head, false});
    core.given_through = lowest->sequence;
    core.advance(chain);
    if (auto entry = core.give(core.in_flight.back())) return entry;
    core.in_flight.pop_back();
  }
}

/// Moves the mark: everything below the lowest entry that is still wanted is done.
void Spool::Core::note_acknowledged(StreamId id) {
  if (id.epoch != state.acknowledged_epoch) {
    state.acknowledged_epoch = id.epoch;
    state.acknowledged_through = 0;
    state.acknowledged_above.clear();
  }
  state.acknowledged_above.push_back(id.sequence);
  std::ranges::sort(state.acknowledged_above);
  // Entries are given out in order, so whatever is below the first one in flight is done. With none in flight, all
  // that was given out is; marks above that come from before a restart.
  const std::uint64_t done_through = in_flight.empty() ? given_through : in_flight.front().id.sequence - 1;
  state.acknowledged_through = std::max(state.acknowledged_through, done_through);
  std::erase_if(state.acknowledged_above, [&](std::uint64_t each) { return each <= state.acknowledged_through; });
  last_acknowledged = id;
}

bool Spool::acknowledge(StreamId id) {
  Core& core = *core_;
  const auto found = std::ranges::find(core.in_flight, id, &Core::InFlight::id);
  if (found == core.in_flight.end()) return false;
  const Core::InFlight entry = *found;
  core.in_flight.erase(found);
  core.note_acknowledged(id);
  core.save_state();
  if (entry.segment != nullptr) {
    --entry.segment->live;
    core.remove_if_done(entry.priority, entry.segment);
  }
  return true;
}

void Spool::tell_losses_to(SpoolLossSink& sink) { core_->losses = &sink; }

void Spool::rewind() {
  for (auto& entry : core_->in_flight) entry.to_send = true;
}

// ---- account ----

std::uint64_t Spool::pending() const {
  std::uint64_t out = 0;
  for (const auto& chain : core_->chains) {
    for (const auto& segment : chain.segments) out += segment->live;
  }
  return out;
}
std::uint64_t Spool::bytes() const { return core_->bytes(false); }
std::uint64_t Spool::append_mark() const { return core_->state.next_sequence; }
std::size_t Spool::in_flight() const { return core_->in_flight.size(); }
const SpoolDrops& Spool::drops() const { return core_->state.drops; }
std::uint64_t Spool::epoch() const { return core_->state.epoch; }
std::optional<StreamId> Spool::last_acknowledged() const { return core_->last_acknowledged; }
void Spool::change_limits(std::size_t bytes_max, Duration age_max) {
  core_->options.age_max = age_max;
  if (!core_->options.directory.empty()) core_->options.bytes_max = std::max(bytes_max, kSpoolBytesMin);
}

bool Spool::on_disk() const { return !core_->options.directory.empty() && !core_->disk_refuses; }
std::uint64_t Spool::repaired_bytes() const { return core_->cut_bytes; }

Result<> Spool::sync() {
  for (auto& chain : core_->chains) {
    for (auto& segment : chain.segments) TRY_VOID(segment->sync());
  }
  if (core_->state_file.valid() && ::fdatasync(core_->state_file.get()) != 0) return fail_errno("spool.state.sync");
  return {};
}

Result<> Spool::close() {
  Core& core = *core_;
  for (std::size_t priority = 0; priority < kPriorities; ++priority) {
    for (const auto& segment : core.chains[priority].segments) {
      if (segment->in_memory()) core.state.drops.refused[priority] += segment->live;
    }
  }
  core.state.clean = true;
  core.save_state();
  return sync();
}

}  // namespace picket::agent
