// Tier "uevent" of peripheral: the kernel's own messages (netlink group 1), never those that programs send each other.
//
// A device that comes is held back a moment: a USB device tells what it is only by its interfaces, which follow it in
// messages of their own, and udev gives a network interface its name right after it came.
#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/core/file.h"
#include "peripheral/peripheral_inventory.h"
#include "peripheral/tiers.h"

namespace picket::agent {
namespace {

constexpr std::uint32_t kKernelGroup = 1;
constexpr int kReceiveBufferBytes = 256 << 10;
constexpr int kMessagesMax = 256;        // a call
constexpr std::size_t kPendingMax = 64;  // held back; the oldest goes early
constexpr Duration kInterfacesWait = Duration::seconds(1);
constexpr Duration kInterfacesQuiet = Duration::milliseconds(100);
constexpr Duration kNameWait = Duration::milliseconds(200);
constexpr Duration kNothingDue = Duration::hours(1);

class PeripheralUevent final : public Source {
 public:
  PeripheralUevent(const Environment& environment, UniqueFd socket)
      : environment_(environment),
        inventory_(environment, {"peripheral", "uevent", false}),
        socket_(std::move(socket)),
        fd_(socket_.get()) {}
  Result<> take_stock() { return inventory_.take_stock(); }

  std::span<const int> fds() const override { return {&fd_, 1}; }
  Counters counters() const override { return inventory_.counters(); }

  Duration on_ready(int) override {
    for (int i = 0; i < kMessagesMax && read_one(); ++i) {
    }
    return on_timer();
  }

  Duration on_timer() override {
    inventory_.tell_news(moment_of(environment_.clock));
    const Duration now = environment_.clock.monotonic();
    for (std::size_t i = 0; i < pending_.size();) {
      pending_[i].due <= now ? report(i) : void(++i);
    }
    Duration delay = kNothingDue;
    for (const Pending& each : pending_) delay = std::min(delay, each.due - now);
    return delay;
  }

 private:
  struct Pending {
    PeripheralDevice device;
    Moment came;
    Duration due;
  };

  /// False: nothing waits.
  bool read_one() {
    sockaddr_nl from{};
    iovec part{buffer_.data(), buffer_.size()};
    msghdr header{.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
    const ssize_t n = recvmsg(socket_.get(), &header, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) return true;
    if (n < 0 && errno == ENOBUFS) {
      // How many were lost the kernel does not say; what became of them sysfs does.
      ++inventory_.counters().seen;
      ++inventory_.counters().dropped_kernel;
      pending_.clear();
      inventory_.look(moment_of(environment_.clock));
      return true;
    }
    if (n <= 0) return false;
    if (from.nl_pid != 0 || (header.msg_flags & MSG_TRUNC) != 0) return true;  // not the kernel
    if (const auto event = parse_uevent(Bytes(buffer_).first(static_cast<std::size_t>(n)))) take(*event);
    return true;
  }

  void take(const Uevent& event) {
    if (event.kind == Uevent::Kind::network && event.interface_name == "lo") return;
    const Moment now = moment_of(environment_.clock);
    switch (event.action) {
      case Uevent::Action::add:
        return event.kind == Uevent::Kind::usb_interface ? add_interface(event, now.monotonic) : add(event, now);
      case Uevent::Action::remove:
        return event.kind == Uevent::Kind::usb_interface ? void() : remove(event, now);
      case Uevent::Action::move:
        return event.kind == Uevent::Kind::network ? rename(event) : void();
    }
  }

  void add(const Uevent& event, Moment now) {
    PeripheralDevice device = device_of(event);
    read_details(environment_.settings.sysfs, device);
    const bool is_network = event.kind == Uevent::Kind::network;
    if (!is_network && !device.speaks_by_interfaces()) return inventory_.connected(std::move(device), now);
    if (pending_.size() == kPendingMax) report(0);
    pending_.push_back({std::move(device), now, now.monotonic + (is_network ? kNameWait : kInterfacesWait)});
  }

  void add_interface(const Uevent& event, Duration now) {
    const auto parent = event.path.substr(0, event.path.rfind('/'));
    const auto at = find(parent);
    if (at == pending_.size() || !event.usb_class) return;
    pending_[at].device.add_interface(*event.usb_class);
    pending_[at].due = std::min(pending_[at].due, now + kInterfacesQuiet);
  }

  void remove(const Uevent& event, Moment now) {
    if (const auto at = find(event.path); at != pending_.size()) report(at);
    inventory_.disconnected(device_of(event), now);
  }

  void rename(const Uevent& event) {
    const auto at = find(event.old_path);
    if (at == pending_.size()) return inventory_.renamed(event.old_path, event.path, event.interface_name);
    pending_[at].device.path = event.path;
    pending_[at].device.interface_name = device_of(event).interface_name;
  }

  [[nodiscard]] std::size_t find(std::string_view path) const {
    const auto at = std::ranges::find_if(pending_, [&](const Pending& each) { return each.device.path == path; });
    return static_cast<std::size_t>(at - pending_.begin());
  }

  void report(std::size_t index) {
    Pending each = std::move(pending_[index]);
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(index));
    inventory_.connected(std::move(each.device), each.came);
  }

  Environment environment_;
  PeripheralInventory inventory_;
  UniqueFd socket_;
  int fd_;
  std::array<std::byte, kUeventBytesMax> buffer_;
  std::vector<Pending> pending_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_peripheral_uevent(const Environment& environment) {
  UniqueFd socket{::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)};
  if (!socket.valid()) return fail_errno("agent.uevent.socket");
  if (setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes)) != 0) {
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes));
  }
  const sockaddr_nl address{.nl_family = AF_NETLINK, .nl_groups = kKernelGroup};
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return fail_errno("agent.uevent.bind");
  }
  auto source = std::make_unique<PeripheralUevent>(environment, std::move(socket));
  (void)source->take_stock();  // without sysfs every device that comes is news, which is true enough
  return source;
}

}  // namespace picket::agent
