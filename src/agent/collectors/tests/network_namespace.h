// A network of a test's own: nothing of it is seen outside, and nothing outside disturbs it. Needs root.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "base/core/bytes.h"
#include "base/core/file.h"

namespace picket::agent {

/// The calling thread is in a new network namespace, with loopback up, until the object ends.
class NetworkNamespace {
 public:
  NetworkNamespace() : before_(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
    entered_ = unshare(CLONE_NEWNET) == 0 && up("lo");
  }
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;
  ~NetworkNamespace() { setns(before_.get(), CLONE_NEWNET); }

  [[nodiscard]] bool entered() const { return entered_; }

  static bool up(std::string_view name) {
    const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    name.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
    if (ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return false;
    request.ifr_flags |= IFF_UP;
    return ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
  }
  static bool rename(std::string_view name, std::string_view to) {
    const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    name.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
    to.copy(request.ifr_newname, sizeof(request.ifr_newname) - 1);
    return ioctl(socket.get(), SIOCSIFNAME, &request) == 0;
  }
  /// Plugs a cable with two ends.
  static bool add_veth(const std::string& one, const std::string& other) {
    Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request.text(IFLA_IFNAME, one);
    const auto info = request.open(IFLA_LINKINFO);
    request.text(IFLA_INFO_KIND, "veth");
    const auto data = request.open(IFLA_INFO_DATA);
    const auto peer = request.open(VETH_INFO_PEER);
    request.raw(ifinfomsg{});
    request.text(IFLA_IFNAME, other);
    request.close(peer);
    request.close(data);
    request.close(info);
    return request.send();
  }
  static bool remove(const std::string& name) {
    Request request(RTM_DELLINK, 0);
    request.text(IFLA_IFNAME, name);
    return request.send();
  }
  /// A sysfs that shows this namespace's interfaces; as a path: "/proc/self/fd/N".
  static UniqueFd sysfs() {
    const UniqueFd context{fsopen("sysfs", FSOPEN_CLOEXEC)};
    fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
    return UniqueFd{fsmount(context.get(), FSMOUNT_CLOEXEC, 0)};
  }

 private:
  /// One message of rtnetlink.
  class Request {
   public:
    Request(std::uint16_t type, std::uint16_t flags) {
      raw(nlmsghdr{.nlmsg_len = 0,
                   .nlmsg_type = type,
                   .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags),
                   .nlmsg_seq = 1,
                   .nlmsg_pid = 0});
      raw(ifinfomsg{});
    }
    template <class T>
    void raw(const T& value) {
      const auto bytes = std::as_bytes(std::span(&value, 1));
      append(bytes_, bytes);
      bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
    }
    std::size_t open(std::uint16_t type) {
      raw(nlattr{.nla_len = 0, .nla_type = type});
      return bytes_.size() - sizeof(nlattr);
    }
    void close(std::size_t at) {
      const auto length = static_cast<std::uint16_t>(bytes_.size() - at);
      std::memcpy(bytes_.data() + at, &length, sizeof(length));
    }
    void text(std::uint16_t type, const std::string& value) {
      const auto at = open(type);
      append(bytes_, std::as_bytes(std::span(value.c_str(), value.size() + 1)));
      close(at);
      bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
    }
    bool send() {
      const auto length = static_cast<std::uint32_t>(bytes_.size());
      std::memcpy(bytes_.data(), &length, sizeof(length));
      const UniqueFd socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
      if (::send(socket.get(), bytes_.data(), bytes_.size(), 0) < 0) return false;
      struct {
        nlmsghdr header;
        int error;
        char rest[4096];
      } answer{};
      return recv(socket.get(), &answer, sizeof(answer), 0) > 0 && answer.header.nlmsg_type == NLMSG_ERROR &&
             answer.error == 0;
    }

   private:
    Buffer bytes_;
  };

  UniqueFd before_;
  bool entered_ = false;
};

}  // namespace picket::agent
