// Tier "procfs" of network: reads the kernel's socket tables now and then. Needs no privilege; without it, sockets of
// other users have no owner.
#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include <fcntl.h>

#include "base/core/file.h"
#include "base/core/hash.h"
#include "network/net_table.h"
#include "network/tiers.h"
#include "support/procfs.h"
#include "support/program_cache.h"

namespace picket::agent {
namespace {

constexpr std::size_t kEntriesMax = 8192;

std::uint64_t key_of(const NetEntry& entry) {
  std::array<std::uint8_t, 37> raw{};
  raw[0] = entry.protocol;
  std::memcpy(&raw[1], entry.local.address.bytes.data(), 16);
  std::memcpy(&raw[17], entry.remote.address.bytes.data(), 16);
  std::memcpy(&raw[33], &entry.local.port, 2);
  std::memcpy(&raw[35], &entry.remote.port, 2);
  return fnv1a64(std::as_bytes(std::span(raw)));
}

struct Known {
  NetEntry entry;
  std::uint32_t pid = 0;
  std::uint32_t generation = 0;
  ConnectionRecord::Direction direction = ConnectionRecord::Direction::unknown;
  Duration since;
  bool opened = false;  // false: only SYN_SENT was seen
  bool ended = false;   // closed was reported; waits out its TIME_WAIT
};

class NetworkProcfs final : public Source {
 public:
  explicit NetworkProcfs(const Environment& environment)
      : environment_(environment), facts_(environment.settings.procfs), owners_(environment.settings.procfs) {
    poll(false);
    due_ = environment_.clock.monotonic() + environment_.settings.procfs_poll_max;
  }

  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return environment_.settings.procfs_poll_max; }
  Counters counters() const override { return counters_; }

  Duration on_timer() override {
    const auto now = environment_.clock.monotonic();
    if (now >= due_) {
      poll(true);
      due_ = now + environment_.settings.procfs_poll_max;
    }
    return std::max(due_ - now, Duration{1000});
  }

 private:
  void poll(bool report) {
    ++generation_;
    entries_.clear();
    const std::size_t over = read_net_tables(environment_.settings.procfs, kEntriesMax, entries_);
    // The same ones are past the bound each time: only more of them are news.
    const std::size_t more = over - std::min(over, over_before_);
    over_before_ = over;
    counters_.seen += more;
    counters_.dropped_user += more;
    listeners_.rebuild(entries_);
    owners_fresh_ = false;
    for (const NetEntry& entry : entries_) {
      if (entry.remote.port != 0) look_at(entry, report);
    }
    for (auto at = known_.begin(); at != known_.end();) {
      if (at->second.generation == generation_) {
        ++at;
        continue;
      }
      if (!at->second.ended) end(at->second);
      at = known_.erase(at);
    }
  }

  void look_at(const NetEntry& entry, bool report) {
    const bool waiting = entry.state == TcpState::time_wait;
    auto [at, is_new] = known_.try_emplace(key_of(entry));
    Known& known = at->second;
    known.generation = generation_;
    if (is_new) {
      known.entry = entry;
      known.direction = entry.protocol == 6 && listeners_.find(entry.local.port) ? ConnectionRecord::Direction::in
                                                                                 : ConnectionRecord::Direction::out;
      known.since = environment_.clock.monotonic();
      if (report) known.pid = owner_of(known);
    }
    known.entry.state = entry.state;
    const bool connected = entry.state != TcpState::syn_sent && entry.state != TcpState::syn_recv;
    if (connected && !known.opened) {
      known.opened = true;
      if (report) emit(known, ConnectionRecord::Kind::opened);
    }
    if (waiting && !known.ended) {
      if (report) {
        end(known);
      } else {
        known.ended = true;
      }
    }
  }

  void end(Known& known) {
    known.ended = true;
    emit(known, known.opened ? ConnectionRecord::Kind::closed : ConnectionRecord::Kind::failed);
  }

  std::uint32_t owner_of(const Known& known) {
    if (!owners_fresh_) owners_.refresh();
    owners_fresh_ = true;
    if (const auto pid = owners_.find(known.entry.inode); pid != 0) return pid;
    if (known.direction != ConnectionRecord::Direction::in) return 0;
    const auto* listener = listeners_.find(known.entry.local.port);
    return listener ? owners_.find(listener->inode) : 0;
  }

  void emit(const Known& known, ConnectionRecord::Kind kind) {
    ConnectionRecord record{.kind = kind,
                            .direction = known.direction,
                            .time = moment_of(environment_.clock),
                            .origin = {"network", "procfs", true},
                            .protocol = known.entry.protocol,
                            .local = known.entry.local,
                            .remote = known.entry.remote,
                            .pid = known.pid,
                            .uid = known.entry.uid,
                            .uid_known = known.entry.inode != 0,
                            .cookie = key_of(known.entry)};
    if (kind == ConnectionRecord::Kind::closed) record.lasted = record.time.monotonic - known.since;
    if (record.pid != 0) {
      const auto* program = programs_.find(record.pid, 0);
      if (facts_.read_program(record.pid)) program = &programs_.put(record.pid, 0, facts_.executable(), facts_.argv());
      if (program) {
        record.executable = program->executable;
        record.argv = program->argv;
      }
    }
    if (record.executable.empty()) ++counters_.incomplete;
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  ProcessFacts facts_;
  SocketOwners owners_;
  bool owners_fresh_ = false;
  Listeners listeners_;
  ProgramCache programs_;
  std::vector<NetEntry> entries_;
  std::unordered_map<std::uint64_t, Known> known_;  // at most kEntriesMax of each of two polls
  std::size_t over_before_ = 0;
  std::uint32_t generation_ = 0;
  Duration due_;
  Counters counters_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_network_procfs(const Environment& environment) {
  const std::string path = environment.settings.procfs + "/net/tcp";
  if (auto file = open_file(path, O_RDONLY | O_CLOEXEC); !file) return std::unexpected(file.error());
  return std::make_unique<NetworkProcfs>(environment);
}

}  // namespace picket::agent
