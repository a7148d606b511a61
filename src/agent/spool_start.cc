// What a start of the spool finds in its directory, and what it keeps there for the next one.
#include <algorithm>
#include <charconv>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/core/random.h"
#include "spool_core.h"

namespace picket::agent {
namespace {

constexpr std::size_t kSegmentBytesMin = 4 << 10;
constexpr std::size_t kSegmentBytesMax = 256 << 10;
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

}  // namespace

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
  core->options.bytes_max = std::max(core->options.bytes_max, kSpoolBytesMin);
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

}  // namespace picket::agent
