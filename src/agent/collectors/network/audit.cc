// Tier "audit" of network: connect() and accept() as the kernel's audit reports them, by rules of our own. It knows the
// process and the peer, not what the connection carried. Whether a connect() was TCP's or UDP's is looked up while its
// socket lives; what is gone by then is taken for TCP and counts as incomplete. An accept() that did not ask for the
// peer's address is not seen.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <linux/audit.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/audit_connect.h"
#include "network/net_table.h"
#include "network/tiers.h"
#include "support/audit_tier.h"
#include "support/procfs.h"
#include "support/program_cache.h"

namespace picket::agent {
namespace {

constexpr std::size_t kEntriesMax = 8192;  // of the tables of sockets
constexpr Duration kLookPause = Duration::milliseconds(250);
constexpr std::string_view kKey = "picket-network";
constexpr std::uint32_t kFamilies[] = {AF_INET, AF_INET6};

/// Our rules, from now until its end. What an agent left when it was killed are the same ones, so they are taken over.
class ConnectRules {
 public:
  explicit ConnectRules(AuditControl control) : control_(std::move(control)) {}
  ~ConnectRules() {
    for (const std::uint32_t family : kFamilies) (void)control_.remove(rule_of(family));
    (void)control_.remove(rule_of(0));
  }
  ConnectRules(const ConnectRules&) = delete;
  ConnectRules& operator=(const ConnectRules&) = delete;

  AuditControl& control() { return control_; }

  /// Sees to it that the rules are there. A kernel that does not know families gets a rule for all.
  Result<> hold() {
    for (const std::uint32_t family : kFamilies) {
      if (!control_.add(rule_of(family))) return add_for_all();
    }
    return {};
  }

 private:
  Result<> add_for_all() {
    const auto added = control_.add(rule_of(0));
    if (!added) return std::unexpected(added.error());
    return {};
  }
  static AuditRule rule_of(std::uint32_t family) {
    static constexpr unsigned kCalls[] = {kConnectCalls.connect, kConnectCalls.accept, kConnectCalls.accept4};
    return audit_call_rule(kConnectCalls.arch, kCalls, kKey, {.also_failed = true, .family = family});
  }

  AuditControl control_;
};

class NetworkAudit final : public Source {
 public:
  NetworkAudit(const Environment& environment, AuditTier audit, std::unique_ptr<ConnectRules> rules)
      : environment_(environment),
        audit_(std::move(audit)),
        rules_(std::move(rules)),
        facts_(environment.settings.procfs) {}

  std::span<const int> fds() const override { return audit_.fds(); }
  Counters counters() const override {
    Counters all = counters_;
    all.seen += assembler_.unfinished();
    all.dropped_user += assembler_.unfinished();
    return all;
  }

  Duration on_ready(int) override {
    now_ = moment_of(environment_.clock);
    audit_.read(counters_, [this](std::uint16_t type, std::string_view text) {
      if (const AuditConnect* connect = assembler_.take(type, text)) emit(*connect);
    });
    return pace();
  }

  Duration on_timer() override {
    now_ = moment_of(environment_.clock);
    if (audit_.wait(now_.monotonic).us <= 0) (void)audit_.check(*rules_, counters_, now_.monotonic);
    return pace();
  }

 private:
  Duration pace() const { return std::max(Duration{1000}, audit_.wait(now_.monotonic)); }

  /// The socket behind a descriptor, as the kernel's tables show it; nullptr: it is gone.
  const NetEntry* look(const AuditConnect& connect) {
    char path[256];
    std::snprintf(path, sizeof(path), "%s/%u/fd/%u", environment_.settings.procfs.c_str(), connect.pid,
                  connect.descriptor);
    char target[64];
    const ssize_t n = readlink(path, target, sizeof(target) - 1);
    const std::string_view link{target, n > 0 ? static_cast<std::size_t>(n) : 0};
    constexpr std::string_view kSocket = "socket:[";
    std::uint64_t inode = 0;
    if (!link.starts_with(kSocket)) return nullptr;
    std::from_chars(link.data() + kSocket.size(), link.data() + link.size(), inode);
    const auto find = [&]() -> const NetEntry* {
      const auto found = std::ranges::find(entries_, inode, &NetEntry::inode);
      return found == entries_.end() || found->remote.port != connect.remote.port ? nullptr : &*found;
    };
    if (const NetEntry* known = find()) return known;
    if (now_.monotonic - looked_ < kLookPause) return nullptr;
    looked_ = now_.monotonic;
    entries_.clear();
    read_net_tables(environment_.settings.procfs, kEntriesMax, entries_);
    return find();
  }

  void emit(const AuditConnect& connect) {
    using Direction = ConnectionRecord::Direction;
    ConnectionRecord record{.direction = connect.incoming ? Direction::in : Direction::out,
                            .time = now_,
                            .origin = {"network", "audit", false},
                            .remote = connect.remote,
                            .pid = connect.pid,
                            .uid = connect.uid,
                            .uid_known = true};
    record.time.monotonic = now_.monotonic - (now_.wall - connect.time);
    record.time.wall = connect.time;
    record.kind = connect.failed ? ConnectionRecord::Kind::failed : ConnectionRecord::Kind::opened;
    const NetEntry* const entry = look(connect);
    if (entry != nullptr) {
      record.protocol = entry->protocol;
      record.local = entry->local;
    }
    const auto* program = programs_.find(connect.pid, 0);
    if (facts_.read_program(connect.pid) && facts_.executable() == connect.executable) {
      program = &programs_.put(connect.pid, 0, facts_.executable(), facts_.argv());
    }
    record.executable = connect.executable;
    record.argv = program != nullptr && program->executable == connect.executable ? std::string_view(program->argv)
                                                                                  : std::string_view(connect.title);
    if (entry == nullptr && !connect.surely_tcp) ++counters_.incomplete;
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  AuditTier audit_;
  std::unique_ptr<ConnectRules> rules_;
  ProcessFacts facts_;
  ProgramCache programs_;
  std::vector<NetEntry> entries_;  // at most kEntriesMax
  Duration looked_;
  Moment now_;
  Counters counters_;
  AuditConnectAssembler assembler_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_network_audit(const Environment& environment) {
  TRY(auto multicast, open_audit_multicast(AuditTier::kReceiveBufferBytes));
  TRY(auto control, AuditControl::open());
  TRY(const AuditStatus status, control.enable(environment.settings.audit_enable));
  auto rules = std::make_unique<ConnectRules>(std::move(control));
  TRY_VOID(rules->hold());
  return std::make_unique<NetworkAudit>(
      environment, AuditTier(std::move(multicast), status.lost, environment.clock.monotonic()), std::move(rules));
}

}  // namespace picket::agent
