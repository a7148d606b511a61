#include "agent/spool.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <map>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/core/check.h"
#include "base/core/random.h"
#include "spool_format.h"
#include "spool_segment.h"

namespace picket::agent {

namespace format = spool_format;

namespace {

constexpr std::size_t kBytesMin = 64 << 10;
constexpr std::size_t kSegmentBytesMin = 4 << 10;
constexpr std::size_t kSegmentBytesMax = 256 << 10;
// A clock below this was never set (no RTC, no NTP yet): such entries have no age.
constexpr Timestamp kClockPlausible{1'577'836'800'000'000};  // 2020-01-01
constexpr std::uint64_t kEpochMask = (std::uint64_t{1} << 53) - 1;

/// Ordered by time where the clock allows, never equal to one used before; below 2^53, so that every JSON reader keeps
/// it exact.
std::uint64_t make_epoch(std::uint64_t after, Timestamp now) {
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(now.us / 1000, 1));
  const std::uint64_t wanted = (ms << 10 | (random_u64() & 1023)) & kEpochMask;
  return std::max(wanted, after + 1);
}

struct Name {
  std::uint64_t number;
  std::size_t priority;
  std::string file;
};

/// "<number, 16 hex digits>-<priority>.spool"
std::optional<Name> parse_name(std::string_view file) {
  if (file.size() < 17 || !file.ends_with(".spool") || file[16] != '-') return std::nullopt;
  Name name{0, 0, std::string(file)};
  const auto [end, error] = std::from_chars(file.data(), file.data() + 16, name.number, 16);
  if (error != std::errc() || end != file.data() + 16) return std::nullopt;
  const auto priority = parse_priority(file.substr(17, file.size() - 17 - 6));
  if (!priority) return std::nullopt;
  name.priority = static_cast<std::size_t>(*priority);
  return name;
}

Result<std::vector<Name>> list_segments(const std::string& directory) {
  DIR* dir = ::opendir(directory.c_str());
  if (dir == nullptr) return fail_errno("spool.open");
  std::vector<Name> names;
  while (const dirent* entry = ::readdir(dir)) {
    if (auto name = parse_name(entry->d_name)) names.push_back(*std::move(name));
  }
  ::closedir(dir);
  std::ranges::sort(names, {}, &Name::number);
  return names;
}

bool is_full(int os_error) { return os_error == ENOSPC || os_error == EDQUOT || os_error == EFBIG; }

std::uint64_t sum(const std::array<std::uint64_t, kPriorities>& counts) {
  std::uint64_t out = 0;
  for (const std::uint64_t count : counts) out += count;
  return out;
}

}  // namespace

std::uint64_t SpoolDrops::total() const { return sum(evicted) + sum(expired) + sum(refused) + sum(corrupted); }

struct Spool::Core {
  using Segment = SpoolSegment;

  /// The segments of one priority, oldest first, and where reading stands in them.
  struct Chain {
    std::deque<std::unique_ptr<Segment>> segments;
    Segment* at = nullptr;  ///< Segment that next() reads; nullptr: the first.
    std::uint64_t offset = format::kSegmentHeaderBytes;
    std::optional<format::EntryHeader> head;  ///< The entry at `offset`, once read.
  };

  struct InFlight {
    StreamId id;
    Priority priority;
    Segment* segment;  ///< nullptr: evicted after it was given out.
    std::uint64_t offset;
    format::EntryHeader header;
    bool to_send;
  };

  SpoolOptions options;
  SpoolLossSink* losses = nullptr;
  std::size_t segment_bytes = 0;
  UniqueFd lock;
  UniqueFd state_file;
  format::State state;
  std::uint64_t next_number = 1;
  std::array<Chain, kPriorities> chains;
  std::vector<InFlight> in_flight;  ///< In the order of ids.
  std::uint64_t given_through = 0;  ///< Highest sequence that next() gave, of the epoch of what is in flight.
  std::optional<StreamId> last_acknowledged;
  std::uint64_t cut_bytes = 0;
  bool disk_refuses = false;
  std::optional<Duration> clock_offset;  ///< Of the wall clock to the monotonic one, when it was first asked.

  // Opening.
  Result<> open_directory(Timestamp now);
  Result<> load_segments();
  Result<std::optional<format::State>> load_state();
  void begin_epoch(const std::optional<format::State>& old, Timestamp now);
  void save_state();

  // Writing.
  Result<Segment*> room_for(Priority priority, std::size_t entry_bytes);
  Result<Segment*> new_segment(Priority priority, bool in_memory);
  bool make_room(Priority priority, std::size_t needed, bool memory_only);
  bool evict_below(std::size_t priority_end, bool memory_only);
  void evict(std::size_t priority, std::size_t index);
  void tell_unread(const Chain& chain, std::size_t index) const;
  void remove_segment(Chain& chain, std::size_t index);
  void remove_if_done(Priority priority, Segment* segment);

  // Reading.
  bool is_acknowledged(StreamId id) const;
  bool load_head(std::size_t priority, Timestamp now);
  void advance(Chain& chain);
  void note_acknowledged(StreamId id);
  std::optional<SpoolEntry> give(InFlight& entry);

  [[nodiscard]] std::uint64_t bytes(bool memory_only) const;
};

// ---- opening ----

Result<std::optional<format::State>> Spool::Core::load_state() {
  TRY(state_file, open_file(options.directory + "/state", O_RDWR | O_CREAT, 0600));
  std::optional<format::State> best;
  for (off_t slot = 0; slot < 2; ++slot) {
    Buffer bytes(format::kStateSlotBytes);
    const ssize_t n =
        ::pread(state_file.get(), bytes.data(), bytes.size(), slot * static_cast<off_t>(format::kStateSlotStride));
    if (n != static_cast<ssize_t>(bytes.size())) continue;
    if (auto found = format::read_state(bytes); found && (!best || found->generation > best->generation)) best = found;
  }
  return best;
}

void Spool::Core::save_state() {
  if (!state_file.valid()) return;
  ++state.generation;
  const auto offset = (state.generation % 2) * format::kStateSlotStride;
  // In place, so that it works on a full disk too. A failure leaves the other slot: at worst messages are sent again.
  if (!write_all_at(state_file.get(), format::write_state(state), offset)) disk_refuses = true;
}

Result<> Spool::Core::load_segments() {
  TRY(const auto names, list_segments(options.directory));
  for (const Name& name : names) {
    const std::string path = options.directory + "/" + name.file;
    next_number = std::max(next_number, name.number + 1);
    std::uint64_t last_sequence = 0;
    auto loaded = Segment::load(path, [&](Segment& segment, const format::EntryHeader& header) {
      last_sequence = std::max(last_sequence, header.sequence);
      if (!is_acknowledged({segment.header().epoch, header.sequence})) ++segment.live;
    });
    if (!loaded) {
      if (loaded.error().code == Errc::unsupported || loaded.error().code == Errc::io) {
        return std::unexpected(loaded.error());
      }
      // No header: the crash came between making the file and its first write, or the medium is damaged.
      if (loaded.error().code != Errc::truncated) ++state.drops.corrupted[name.priority];
      ::unlink(path.c_str());
      continue;
    }
    Segment& segment = **loaded;
    cut_bytes += segment.cut_bytes();
    state.drops.corrupted[name.priority] += segment.damaged();
    if (segment.header().epoch == state.epoch) {
      state.next_sequence = std::max({state.next_sequence, segment.header().base_sequence, last_sequence + 1});
    } else if (segment.header().epoch > state.epoch) {  // the state file was lost
      state.epoch = segment.header().epoch;
      state.next_sequence = std::max(segment.header().base_sequence, last_sequence + 1);
    }
    chains[name.priority].segments.push_back(*std::move(loaded));
  }
  return {};
}

void Spool::Core::begin_epoch(const std::optional<format::State>& old, Timestamp now) {
  // Within one boot the page cache holds all that was written, so the sequence goes on. After a power loss, entries
  // that were sent may be missing on the disk, and their sequences must not name other messages.
  const bool goes_on =
      old && old->epoch == state.epoch && (old->clean || (old->boot_id == options.boot_id && !old->in_memory));
  if (!goes_on) {
    state.epoch = make_epoch(state.epoch, now);
    state.next_sequence = 1;
  }
  state.boot_id = options.boot_id;
  state.clean = false;
  state.in_memory = false;
}

Result<> Spool::Core::open_directory(Timestamp now) {
  TRY_VOID(make_directories(options.directory));
  TRY(lock, open_file(options.directory + "/lock", O_RDWR | O_CREAT, 0600));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return fail(Errc::exists, "spool.lock");
  TRY(const auto old, load_state());
  if (old) state = *old;
  if (old && old->acknowledged_epoch != 0)
    last_acknowledged = StreamId{old->acknowledged_epoch, old->acknowledged_through};
  TRY_VOID(load_segments());
  begin_epoch(old, now);
  // Both slots exist from now on: a full disk cannot stop the marks that keep sequences honest.
  save_state();
  save_state();
  return disk_refuses ? Result<>(fail(Errc::io, "spool.state.write")) : Result<>();
}

Result<Spool> Spool::open(SpoolOptions options, Timestamp now) {
  auto core = std::make_unique<Core>();
  core->options = std::move(options);
  if (core->options.directory.empty()) {
    core->options.bytes_max = core->options.memory_max;
    core->begin_epoch(std::nullopt, now);
  }
  core->options.bytes_max = std::max(core->options.bytes_max, kBytesMin);
  core->segment_bytes = std::clamp(core->options.bytes_max / 32, kSegmentBytesMin, kSegmentBytesMax);
  if (!core->options.directory.empty()) TRY_VOID(core->open_directory(now));
  for (std::size_t priority = 0; priority < kPriorities; ++priority) {
    auto& segments = core->chains[priority].segments;
    for (std::size_t i = segments.size(); i > 0; --i) {
      if (segments[i - 1]->live == 0) core->remove_segment(core->chains[priority], i - 1);
    }
  }
  return Spool(std::move(core));
}

Spool::Spool(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Spool::Spool(Spool&&) noexcept = default;
Spool& Spool::operator=(Spool&&) noexcept = default;
Spool::~Spool() = default;

Timestamp Spool::time(const Clock& clock) {
  const Duration monotonic = clock.monotonic();
  if (!core_->clock_offset) core_->clock_offset = Duration{clock.now().us} - monotonic;
  return Timestamp{(monotonic + *core_->clock_offset).us};
}

// ---- writing ----

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

// ---- reading ----

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
  if (!core_->options.directory.empty()) core_->options.bytes_max = std::max(bytes_max, kBytesMin);
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
