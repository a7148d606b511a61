#include "network/net_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/file.h"
#include "support/bpf_text.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

constexpr std::size_t kProcessesMax = 8192;
constexpr std::size_t kLineMax = 512;

std::string_view next_field(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto field = rest.substr(0, rest.find(' '));
  rest.remove_prefix(field.size());
  return field;
}

template <class T>
std::optional<T> number(std::string_view text, int base) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0100007F:0016" or 32 digits for IPv6: each group of 8 digits is a 32-bit word in host order.
std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<std::uint8_t, 16> raw{};
  for (std::size_t word = 0; word < colon / 8; ++word) {
    const auto value = number<std::uint32_t>(text.substr(word * 8, 8), 16);
    if (!value) return std::nullopt;
    std::memcpy(raw.data() + word * 4, &*value, 4);
  }
  const auto port = number<std::uint16_t>(text.substr(colon + 1), 16);
  if (!port) return std::nullopt;
  return Endpoint{address_of(colon == 8 ? AF_INET : AF_INET6, raw.data()), *port};
}

}  // namespace

std::optional<NetEntry> parse_net_line(std::string_view line, std::uint8_t protocol) {
  NetEntry entry{.protocol = protocol};
  const auto slot = next_field(line);
  if (!slot.ends_with(':')) return std::nullopt;
  const auto local = parse_endpoint(next_field(line));
  const auto remote = parse_endpoint(next_field(line));
  const auto state = number<std::uint8_t>(next_field(line), 16);
  for (int i = 0; i < 3; ++i) next_field(line);  // queues, timer, retransmits
  const auto uid = number<std::uint32_t>(next_field(line), 10);
  next_field(line);  // timeout
  const auto inode = number<std::uint64_t>(next_field(line), 10);
  if (!local || !remote || !state || !uid || !inode) return std::nullopt;
  entry.local = *local;
  entry.remote = *remote;
  entry.state = static_cast<TcpState>(*state);
  entry.uid = *uid;
  entry.inode = *inode;
  return entry;
}

std::size_t read_net_tables(const std::string& procfs, std::size_t entries_max, std::vector<NetEntry>& out) {
  static constexpr std::array<std::pair<const char*, std::uint8_t>, 4> kTables{
      {{"tcp", 6}, {"tcp6", 6}, {"udp", 17}, {"udp6", 17}}};
  std::size_t over = 0;
  for (const auto& [name, protocol] : kTables) {
    char path[256];
    std::snprintf(path, sizeof(path), "%s/net/%s", procfs.c_str(), name);
    const std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen(path, "re"), std::fclose};
    char line[kLineMax];
    while (file && std::fgets(line, sizeof(line), file.get())) {
      const auto entry = parse_net_line(line, protocol);
      if (!entry) continue;
      if (out.size() < entries_max) {
        out.push_back(*entry);
      } else {
        ++over;
      }
    }
  }
  return over;
}

void SocketOwners::refresh() {
  held_.clear();
  std::vector<std::uint32_t> pids(kProcessesMax);
  pids.resize(std::min(list_processes(procfs_, pids), pids.size()));
  for (const std::uint32_t pid : pids) {
    char path[256];
    std::snprintf(path, sizeof(path), "%s/%u/fd", procfs_.c_str(), pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder{opendir(path), closedir};
    if (!folder) continue;
    while (const dirent* entry = readdir(folder.get())) {
      char target[64];
      const ssize_t n = readlinkat(dirfd(folder.get()), entry->d_name, target, sizeof(target));
      const std::string_view link{target, n > 0 ? static_cast<std::size_t>(n) : 0};
      if (!link.starts_with("socket:[") || !link.ends_with(']')) continue;
      const auto inode = number<std::uint64_t>(link.substr(8, link.size() - 9), 10);
      if (inode && held_.size() < kSocketsMax) held_.push_back({*inode, pid});
    }
  }
  std::sort(held_.begin(), held_.end());
}

std::uint32_t SocketOwners::find(std::uint64_t inode) const {
  if (inode == 0) return 0;
  const auto at = std::lower_bound(held_.begin(), held_.end(), Held{inode, 0});
  return at != held_.end() && at->inode == inode ? at->pid : 0;
}

void Listeners::rebuild(const std::vector<NetEntry>& entries, std::uint8_t protocol) {
  clear();
  for (const NetEntry& entry : entries) {
    if (entry.protocol == protocol && (protocol != 6 || entry.state == TcpState::listen))
      add(entry.local.port, entry.uid, entry.inode);
  }
}

void Listeners::add(std::uint16_t port, std::uint32_t uid, std::uint64_t inode) {
  if (listeners_.size() < kListenersMax) listeners_.push_back({port, uid, inode});
}

const Listeners::Listener* Listeners::find(std::uint16_t port) const {
  const auto at = std::find_if(listeners_.begin(), listeners_.end(), [&](const Listener& l) { return l.port == port; });
  return at == listeners_.end() ? nullptr : &*at;
}

}  // namespace picket::agent
