// Tier "cgroup" of dns: copies of packets with port 53, which a BPF program at the root of the cgroup2 tree makes as
// sockets send and get them. It knows who sends, needs no packet socket, and sees containers too.
#include <cstring>

#include <unistd.h>

#include "base/core/file.h"
#include "dns/reporter.h"
#include "dns/tiers.h"
#include "dns_event.h"
#include "support/bpf_ring.h"
#include "support/bpf_text.h"
#include "support/cgroup_root.h"

namespace picket::agent {
namespace {

constexpr std::uint32_t kRingBytes = 256 << 10;
constexpr std::size_t kPacketsMax = 256;  // a call

class DnsCgroup final : public Source {
 public:
  DnsCgroup(const Environment& environment, UniqueFd second_link, std::unique_ptr<BpfRing> ring)
      : second_link_(std::move(second_link)),
        ring_(std::move(ring)),
        fd_(ring_->fd()),
        reporter_(environment, "cgroup") {}

  std::span<const int> fds() const override { return {&fd_, 1}; }

  Counters counters() const override {
    Counters all = reporter_.counters();
    const std::uint64_t refused = ring_->account(1).dropped;
    all.seen += refused;
    all.dropped_kernel += refused;
    return all;
  }

  Duration on_ready(int) override {
    const std::size_t drained = ring_->drain(kPacketsMax, [this](Bytes record) { take(record); });
    return drained == kPacketsMax ? Duration{} : reporter_.on_time();
  }
  Duration on_timer() override { return on_ready(fd_); }

 private:
  void take(Bytes record) {
    picket_dns_event event;
    if (record.size() < sizeof(event)) return;
    std::memcpy(&event, record.data(), sizeof(event));
    const Bytes packet = record.subspan(sizeof(event));
    // The program only lets through what goes to port 53 on its way out, and what comes from there.
    reporter_.take(packet.first(std::min<std::size_t>(packet.size(), event.length)),
                   {.may_ask = true, .may_answer = true, .pid = event.pid});
  }

  UniqueFd second_link_;  // closed after the ring's programs
  std::unique_ptr<BpfRing> ring_;
  int fd_;
  DnsReporter reporter_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_dns_cgroup(const Environment& environment) {
  const UniqueFd cgroup = open_cgroup_root();
  if (!cgroup.valid()) return fail_errno("agent.dns.cgroup");
  picket_bpf bpf{};
  int link = -1;
  if (const int status = picket_dns_bpf_open(&bpf, kRingBytes, cgroup.get(), &link); status < 0) {
    return bpf_failure(bpf.failed_step, status);
  }
  UniqueFd second_link{link};
  TRY(auto ring, BpfRing::create(bpf, picket_dns_bpf_close));
  return std::make_unique<DnsCgroup>(environment, std::move(second_link), std::move(ring));
}

}  // namespace picket::agent
