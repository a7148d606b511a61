// Peripheral collector against the running kernel, each tier forced, in a network of its own.
#include "tests/live.h"

#include <set>

#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

using namespace std::string_view_literals;
using testing::AllOf;
using testing::HasSubstr;

struct Stage {
  explicit Stage(const char* tier) : sysfs(NetworkNamespace::sysfs()) {
    settings.choose("peripheral").tier = tier;
    settings.peripheral_poll_every = Duration::milliseconds(100);
    settings.sysfs = "/proc/self/fd/" + std::to_string(sysfs.get());
  }
  NetworkNamespace network;
  UniqueFd sysfs;
  CollectorSettings settings;
};

const KeptEvent* find(const Recorder& sink, std::string_view action, std::string_view what) {
  for (const KeptEvent& kept : sink.events) {
    if (kept.items.find("\"" + std::string(action) + "\"") != std::string::npos &&
        kept.items.find(what) != std::string::npos) {
      return &kept;
    }
  }
  return nullptr;
}

std::string address_of(const Stage& stage, const std::string& name) {
  auto text = read_file(stage.settings.sysfs + "/class/net/" + name + "/address", 64);
  return text ? text->substr(0, text->find('\n')) : "";
}

class PeripheralTier : public testing::TestWithParam<const char*> {};

TEST_P(PeripheralTier, ReportsACableThatIsPluggedAndPulled) {
  PICKET_NEEDS_ROOT();
  Stage stage(GetParam());
  ASSERT_TRUE(stage.network.entered());
  Bench bench("peripheral", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(NetworkNamespace::add_veth("plug", "socket"));
  ASSERT_TRUE(bench.run_until(
      [&] { return find(bench.sink, "Connected", "\"plug\"") && find(bench.sink, "Connected", "\"socket\""); }));
  const KeptEvent& came = *find(bench.sink, "Connected", "\"plug\"");
  EXPECT_EQ(came.items, R"({"PeripheralType":"Ethernet","ActionType":"Connected","InterfaceName":"plug",)"
                        R"("InterfaceKind":"virtual","MacAddress":")" +
                            address_of(stage, "plug") + R"(","Source":")" + GetParam() + R"("})");
  EXPECT_EQ(came.record.origin.sampled, GetParam() == "sysfs"sv);
  EXPECT_EQ(came.record.priority, Priority::low);

  ASSERT_TRUE(NetworkNamespace::remove("plug"));
  ASSERT_TRUE(bench.run_until(
      [&] { return find(bench.sink, "Disconnected", "\"plug\"") && find(bench.sink, "Disconnected", "\"socket\""); }));
  EXPECT_EQ(bench.sink.events.size(), 4u) << "loopback is no peripheral";
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.delivered, 4u);
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
}

INSTANTIATE_TEST_SUITE_P(EachForced, PeripheralTier, testing::Values("uevent", "sysfs"),
                         [](const auto& at) { return std::string(at.param); });

/// The kernel sends on what root sends to its port 0, to all of group 1 in this network, as if it were its own.
bool inject(std::string_view text) {
  const UniqueFd socket{::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT)};
  nlmsghdr header{.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + text.size()),
                  .nlmsg_type = NLMSG_MIN_TYPE,
                  .nlmsg_flags = NLM_F_REQUEST,
                  .nlmsg_seq = 1,
                  .nlmsg_pid = 0};
  Buffer message;
  append(message, std::as_bytes(std::span(&header, 1)));
  append(message, as_bytes(text));
  const sockaddr_nl kernel{.nl_family = AF_NETLINK};
  return sendto(socket.get(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                sizeof(kernel)) == static_cast<ssize_t>(message.size());
}

constexpr auto kStickCame =
    "add@/devices/pci0/usb1/1-1\0ACTION=add\0DEVPATH=/devices/pci0/usb1/1-1\0SUBSYSTEM=usb\0DEVTYPE=usb_device\0"
    "PRODUCT=781/5567/126\0TYPE=0/0/0\0BUSNUM=001\0DEVNUM=002\0"sv;
constexpr auto kInterfaceCame =
    "add@/devices/pci0/usb1/1-1/1-1:1.0\0ACTION=add\0DEVPATH=/devices/pci0/usb1/1-1/1-1:1.0\0SUBSYSTEM=usb\0"
    "DEVTYPE=usb_interface\0PRODUCT=781/5567/126\0TYPE=0/0/0\0INTERFACE=8/6/80\0"
    "MODALIAS=usb:v0781p5567d0126dc00dsc00dp00ic08isc06ip50in00\0"sv;
constexpr auto kStickGone =
    "remove@/devices/pci0/usb1/1-1\0ACTION=remove\0DEVPATH=/devices/pci0/usb1/1-1\0SUBSYSTEM=usb\0DEVTYPE=usb_device\0"
    "PRODUCT=781/5567/126\0TYPE=0/0/0\0BUSNUM=001\0DEVNUM=002\0"sv;
constexpr auto kHubCame =
    "add@/devices/pci0/usb1/1-2\0ACTION=add\0DEVPATH=/devices/pci0/usb1/1-2\0SUBSYSTEM=usb\0DEVTYPE=usb_device\0"
    "PRODUCT=1d6b/2/518\0TYPE=9/0/1\0BUSNUM=001\0DEVNUM=003\0"sv;

TEST(PeripheralUevent, DescribesAUsbStickByItsInterface) {
  PICKET_NEEDS_ROOT();
  Stage stage("uevent");
  ASSERT_TRUE(stage.network.entered());
  Bench bench("peripheral", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(inject(kStickCame));
  ASSERT_TRUE(inject(kInterfaceCame));
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, "Connected", "0781") != nullptr; }));
  const std::string described =
      R"("BusNumber":1,"KernelDeviceNumber":2,"DeviceClass":0,"DeviceSubClass":0,"DeviceProtocol":0,)"
      R"("InterfaceClass":8,"InterfaceSubClass":6,"InterfaceProtocol":80,"VendorId":"0781","ProductId":"5567",)"
      R"("Source":"uevent"})";
  EXPECT_EQ(find(bench.sink, "Connected", "0781")->items,
            R"({"PeripheralType":"Usb","ActionType":"Connected",)" + described);
  ASSERT_TRUE(inject(kStickGone));
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, "Disconnected", "0781") != nullptr; }));
  EXPECT_EQ(find(bench.sink, "Disconnected", "0781")->items,
            R"({"PeripheralType":"Usb","ActionType":"Disconnected",)" + described);
  EXPECT_EQ(bench.collector.counters().seen, 2u);
}

TEST(PeripheralUevent, ReportsADeviceThatNamesItsClassOrLosesItsInterfaces) {
  PICKET_NEEDS_ROOT();
  Stage stage("uevent");
  ASSERT_TRUE(stage.network.entered());
  Bench bench("peripheral", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(inject(kStickCame));  // pulled before an interface came
  ASSERT_TRUE(inject(kStickGone));
  ASSERT_TRUE(inject(kHubCame));
  ASSERT_TRUE(bench.run_until([&] { return bench.sink.events.size() >= 3; }));
  EXPECT_THAT(bench.sink.events[0].items, AllOf(HasSubstr("\"Connected\""), HasSubstr("0781")));
  EXPECT_THAT(bench.sink.events[1].items, AllOf(HasSubstr("\"Disconnected\""), HasSubstr("0781")));
  EXPECT_THAT(bench.sink.events[2].items, AllOf(HasSubstr(R"("DeviceClass":9)"), HasSubstr("1d6b")));
}

TEST(PeripheralUevent, GivesAnInterfaceTheNameThatItGetsAtOnce) {
  PICKET_NEEDS_ROOT();
  Stage stage("uevent");
  ASSERT_TRUE(stage.network.entered());
  Bench bench("peripheral", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(NetworkNamespace::add_veth("early", "other"));
  ASSERT_TRUE(NetworkNamespace::rename("early", "late"));
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, "Connected", "\"late\"") != nullptr; }));
  EXPECT_EQ(find(bench.sink, "Connected", "\"early\""), nullptr);
}

TEST(PeripheralUevent, FindsInSysfsWhatAFullBufferLost) {
  PICKET_NEEDS_ROOT();
  Stage stage("uevent");
  ASSERT_TRUE(stage.network.entered());
  Bench bench("peripheral", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(inject(kInterfaceCame));
  ASSERT_TRUE(NetworkNamespace::add_veth("plug", "socket"));
  ASSERT_TRUE(bench.run_until(
      [&] { return find(bench.sink, "Connected", "\"plug\"") && find(bench.sink, "Connected", "\"socket\""); }));
  const Counters counters = bench.collector.counters();
  EXPECT_GT(counters.dropped_kernel, 0u);
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
}

TEST(PeripheralUevent, HearsOnlyTheKernel) {
  PICKET_NEEDS_ROOT();
  Stage stage("uevent");
  ASSERT_TRUE(stage.network.entered());
  Bench bench("peripheral", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  // Straight to the group, from a port of its own.
  const UniqueFd socket{::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT)};
  const sockaddr_nl group{.nl_family = AF_NETLINK, .nl_groups = 1};
  sendto(socket.get(), kHubCame.data(), kHubCame.size(), 0, reinterpret_cast<const sockaddr*>(&group), sizeof(group));
  ASSERT_TRUE(NetworkNamespace::add_veth("plug", "socket"));
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, "Connected", "\"plug\"") != nullptr; }));
  EXPECT_EQ(find(bench.sink, "Connected", "1d6b"), nullptr);
}

}  // namespace
}  // namespace picket::agent
