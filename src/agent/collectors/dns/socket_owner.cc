#include "dns/socket_owner.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/diag_message.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

constexpr std::size_t kProcessesMax = 8192;

void put_endpoint(const Endpoint& endpoint, __be32* address, __be16& port) {
  std::memcpy(address, endpoint.address.bytes.data(), endpoint.address.length);
  port = htons(endpoint.port);
}

}  // namespace

SocketOwner::SocketOwner(std::string procfs)
    : procfs_(std::move(procfs)),
      socket_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG)) {}

std::uint64_t SocketOwner::inode_of(std::uint8_t protocol, const Endpoint& local, const Endpoint& remote) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message{};
  uid_.reset();
  message.header = {.nlmsg_len = sizeof(message), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST};
  message.request.sdiag_family = local.address.length == 4 ? AF_INET : AF_INET6;
  message.request.sdiag_protocol = protocol;
  message.request.idiag_states = 0xffffffff;
  inet_diag_sockid& id = message.request.id;
  std::memset(id.idiag_cookie, 0xff, sizeof(id.idiag_cookie));  // whichever
  // Of a UDP socket the kernel asks with the eyes of a packet that comes in: source is the peer.
  const bool udp = protocol == IPPROTO_UDP;
  put_endpoint(udp ? remote : local, id.idiag_src, id.idiag_sport);
  put_endpoint(udp ? local : remote, id.idiag_dst, id.idiag_dport);
  std::array<std::byte, 4096> answer;
  while (recv(socket_.get(), answer.data(), answer.size(), 0) > 0) {  // what an earlier question left
  }
  if (send(socket_.get(), &message, sizeof(message), 0) < 0) return 0;
  const ssize_t n = recv(socket_.get(), answer.data(), answer.size(), 0);
  std::uint64_t inode = 0;
  if (n > 0) {
    for_each_diag(Bytes(answer).first(static_cast<std::size_t>(n)), [&](const DiagSocket& each) {
      inode = each.inode;
      uid_ = each.uid;
    });
  }
  return inode;
}

bool SocketOwner::holds(std::uint32_t pid, std::string_view link, std::size_t& looked) const {
  const std::string path = procfs_ + "/" + std::to_string(pid) + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{opendir(path.c_str()), closedir};
  if (!folder) return false;
  while (const dirent* entry = readdir(folder.get())) {
    char target[64];
    const ssize_t n = readlinkat(dirfd(folder.get()), entry->d_name, target, sizeof(target));
    if (n > 0 && std::string_view(target, static_cast<std::size_t>(n)) == link) return true;
    if (++looked > kDescriptorsMax) return false;
  }
  return false;
}

bool SocketOwner::may_walk(Duration now) {
  const std::int64_t more = (now - refilled_).us / kWalkAgain.us;
  if (more > 0) {
    walks_ = static_cast<int>(std::min<std::int64_t>(kWalksMax, walks_ + more));
    refilled_ = now;
  }
  if (walks_ == 0) return false;
  --walks_;
  return true;
}

std::uint32_t SocketOwner::find(std::uint8_t protocol, const Endpoint& local, const Endpoint& remote, Duration now) {
  const std::uint64_t inode = inode_of(protocol, local, remote);
  if (inode == 0) return 0;
  if (inode == last_inode_ && now - last_at_ < kSameSocket) return last_pid_;
  last_inode_ = inode;
  last_at_ = now;
  return last_pid_ = holder_of(inode, now);
}

std::uint32_t SocketOwner::holder_of(std::uint64_t inode, Duration now) {
  const std::string link = "socket:[" + std::to_string(inode) + "]";
  std::size_t looked = 0;
  for (const std::uint32_t pid : recent_) {
    if (pid != 0 && holds(pid, link, looked)) return pid;
  }
  if (!may_walk(now)) return 0;
  std::vector<std::uint32_t> pids(kProcessesMax);
  pids.resize(std::min(list_processes(procfs_, pids), pids.size()));
  // The newest first: who asks for a name is often young.
  for (auto pid = pids.rbegin(); pid != pids.rend() && looked <= kDescriptorsMax; ++pid) {
    if (!holds(*pid, link, looked)) continue;
    recent_[next_recent_++ % kRecent] = *pid;
    return *pid;
  }
  return 0;
}

std::string SocketOwner::executable(std::uint32_t pid) const {
  char target[kPathBytesMax];
  const std::string link = procfs_ + "/" + std::to_string(pid) + "/exe";
  const ssize_t n = readlink(link.c_str(), target, sizeof(target));
  return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : std::string();
}

}  // namespace picket::agent
