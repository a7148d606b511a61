// Listening ports: sockets that wait for peers, joined with the process that holds them; whole once, then differences.
#include "agent/collector.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/core/file.h"
#include "listening_ports/ports.h"
#include "network/diag_message.h"
#include "support/snapshot_source.h"

namespace picket::agent {
namespace {

constexpr std::size_t kEntriesMax = 4096;
constexpr std::size_t kDatagramBytesMax = 32768;
// Descriptors may move between processes without a change of the sockets: now and then owners are looked for anyway.
constexpr int kLooksPerRefresh = 12;

/// Reads all sockets that wait for peers. Errors: io.
class PortReader {
 public:
  virtual ~PortReader() = default;
  /// Appends to `out`; returns how many did not fit kEntriesMax.
  virtual Result<std::size_t> read(std::vector<NetEntry>& out) = 0;
};

class ListeningPorts final : public SnapshotSource {
 public:
  ListeningPorts(const Environment& environment, std::string_view tier, std::unique_ptr<PortReader> reader)
      : SnapshotSource(environment, "listening_ports"),
        tier_(tier),
        reader_(std::move(reader)),
        owners_(environment.settings.procfs) {}

 private:
  void look() override {
    std::vector<NetEntry> entries;
    const auto over = reader_->read(entries);
    if (!over) {
      ++counters_.seen;
      ++counters_.dropped_kernel;
      return;
    }
    counters_.seen += *over;
    counters_.dropped_user += *over;
    const auto text = read_file(environment_.settings.procfs + "/sys/net/ipv4/ip_local_port_range", 64);
    passers_by_.keep_lasting(entries, (text ? parse_port_range(*text) : std::nullopt).value_or(PortRange{}));
    const std::uint64_t found = fingerprint(entries);
    if (found == last_found_ && ++looks_ < kLooksPerRefresh) return;
    last_found_ = found;
    looks_ = 0;
    owners_.refresh();
    report(entries);
  }

  void report(const std::vector<NetEntry>& entries) {
    SnapshotReport report(difference_, environment_, {"listening_ports", tier_, false}, message::ListeningPorts::kEvent,
                          Priority::high, counters_);
    for (const NetEntry& entry : entries) {
      const PortTexts texts = port_texts(entry);
      const std::uint32_t pid = owners_.find(entry.inode);
      const std::string executable = executable_of(pid), user = std::to_string(entry.uid);
      if (executable.empty()) ++counters_.incomplete;
      message::ListeningPorts item{.local_port = texts.port,
                                   .protocol = texts.protocol,
                                   .local_address = texts.address,
                                   .state = texts.state,
                                   .executable = executable,
                                   .user_id = user,
                                   .source = tier_};
      if (pid != 0) item.process_id = pid;
      // Workers that share a port by SO_REUSEPORT are one item.
      std::string identity(texts.protocol);
      for (const std::string& part : {texts.address, texts.port, user, executable}) {
        identity += SnapshotDifference::kFieldEnd;
        identity += part;
      }
      report.item(identity, {}, item);
    }
    report.finish([this](std::string_view text, auto send) {
      message::ListeningPorts gone{.source = tier_};
      gone.protocol = take_field(text);
      gone.local_address = take_field(text);
      gone.local_port = take_field(text);
      gone.user_id = take_field(text);
      gone.executable = take_field(text);
      send(gone);
    });
  }

  [[nodiscard]] std::string executable_of(std::uint32_t pid) const {
    if (pid == 0) return {};
    std::array<char, 4096> target;
    const std::string path = environment_.settings.procfs + "/" + std::to_string(pid) + "/exe";
    const ssize_t n = readlink(path.c_str(), target.data(), target.size());
    return n > 0 ? std::string(target.data(), static_cast<std::size_t>(n)) : std::string();
  }

  std::string_view tier_;
  std::unique_ptr<PortReader> reader_;
  SocketOwners owners_;
  UdpPassersBy passers_by_;
  std::uint64_t last_found_ = 0;
  int looks_ = kLooksPerRefresh;
};

// ---- sock_diag ----

class DiagReader final : public PortReader {
 public:
  explicit DiagReader(UniqueFd fd) : fd_(std::move(fd)), buffer_(kDatagramBytesMax) {}

  Result<std::size_t> read(std::vector<NetEntry>& out) override {
    over_ = 0;
    for (const int family : {AF_INET, AF_INET6}) {
      TRY_VOID(dump(family, IPPROTO_TCP, 1U << static_cast<unsigned>(TcpState::listen), out));
      TRY_VOID(dump(family, IPPROTO_UDP, 1U << static_cast<unsigned>(TcpState::close), out));
      if (raw_) raw_ = dump(family, IPPROTO_RAW, 1U << static_cast<unsigned>(TcpState::close), out).has_value();
    }
    return over_;
  }

 private:
  Result<> dump(int family, int protocol, std::uint32_t states, std::vector<NetEntry>& out) {
    struct {
      nlmsghdr header;
      inet_diag_req_v2 request;
    } message{};
    message.header = {.nlmsg_len = sizeof(message),
                      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                      .nlmsg_seq = ++sequence_};
    message.request.sdiag_family = static_cast<__u8>(family);
    message.request.sdiag_protocol = static_cast<__u8>(protocol);
    message.request.idiag_states = states;
    if (send(fd_.get(), &message, sizeof(message), 0) < 0) return fail_errno("agent.ports.request");
    for (bool more = true; more;) {
      // The kernel fills the answer within send(): nothing to wait for.
      const ssize_t n = recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
      if (n <= 0) return fail_errno("agent.ports.dump");
      const Bytes datagram = Bytes(buffer_).first(static_cast<std::size_t>(n));
      if (const int error = diag_error(datagram); error != 0) {
        errno = error;
        return fail_errno("agent.ports.dump");
      }
      more = for_each_diag(datagram, [&](const DiagSocket& socket) {
        NetEntry entry{.protocol = static_cast<std::uint8_t>(protocol),
                       .state = socket.state,
                       .local = socket.local,
                       .remote = socket.remote,
                       .uid = socket.uid,
                       .inode = socket.inode};
        if (!waits_for_peers(entry)) return;
        if (out.size() < kEntriesMax) {
          out.push_back(entry);
        } else {
          ++over_;
        }
      });
    }
    return {};
  }

  UniqueFd fd_;
  Buffer buffer_;
  std::uint32_t sequence_ = 0;
  std::size_t over_ = 0;
  bool raw_ = true;  ///< Until the kernel says that it has no table of raw sockets.
};

Result<std::unique_ptr<Source>> open_sock_diag(const Environment& environment) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd.valid()) return fail_errno("agent.ports.socket");
  const timeval patience{.tv_sec = 2, .tv_usec = 0};  // a kernel that never answers must not hold the loop
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  auto reader = std::make_unique<DiagReader>(std::move(fd));
  std::vector<NetEntry> probe;
  if (auto read = reader->read(probe); !read) return std::unexpected(read.error());
  return std::make_unique<ListeningPorts>(environment, "sock_diag", std::move(reader));
}

// ---- procfs ----

class TableReader final : public PortReader {
 public:
  explicit TableReader(std::string procfs) : procfs_(std::move(procfs)) {}
  Result<std::size_t> read(std::vector<NetEntry>& out) override {
    std::size_t over = 0;
    for (const auto& [name, protocol] : kTables) {
      const std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen((procfs_ + name).c_str(), "re"), std::fclose};
      char line[kLineMax];
      while (file && std::fgets(line, sizeof(line), file.get())) {
        const auto entry = parse_net_line(line, protocol);
        if (!entry || !waits_for_peers(*entry)) continue;
        if (out.size() < kEntriesMax) {
          out.push_back(*entry);
        } else {
          ++over;
        }
      }
    }
    return over;
  }

 private:
  static constexpr std::size_t kLineMax = 512;
  static constexpr std::array<std::pair<const char*, std::uint8_t>, 6> kTables{{{"/net/tcp", IPPROTO_TCP},
                                                                                {"/net/tcp6", IPPROTO_TCP},
                                                                                {"/net/udp", IPPROTO_UDP},
                                                                                {"/net/udp6", IPPROTO_UDP},
                                                                                {"/net/raw", IPPROTO_RAW},
                                                                                {"/net/raw6", IPPROTO_RAW}}};
  std::string procfs_;
};

Result<std::unique_ptr<Source>> open_procfs(const Environment& environment) {
  const std::string& procfs = environment.settings.procfs;
  if (auto file = open_file(procfs + "/net/udp", O_RDONLY | O_CLOEXEC); !file) return std::unexpected(file.error());
  return std::make_unique<ListeningPorts>(environment, "procfs", std::make_unique<TableReader>(procfs));
}

constexpr Tier kTiers[] = {
    {"sock_diag", "sockets that wait for peers, their process and user",
     "NETLINK_SOCK_DIAG; root for processes of others", false, open_sock_diag},
    {"procfs", "the same from tables of text", "procfs; root for processes of others", false, open_procfs}};

}  // namespace

const CollectorSpec& listening_ports_collector() {
  static constexpr CollectorSpec spec{"listening_ports", "sockets that wait for peers", kTiers, Priority::low,
                                      Duration::minutes(5)};
  return spec;
}

}  // namespace picket::agent
