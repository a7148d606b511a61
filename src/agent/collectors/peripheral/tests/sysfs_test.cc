// Tier sysfs on a tree in the form of the kernel's: this machine has no USB.
#include <filesystem>
#include <fstream>

#include "peripheral/peripheral_device.h"
#include "peripheral/peripheral_memory.h"
#include "tests/live.h"

namespace picket::agent {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A sysfs of files.
class Tree {
 public:
  Tree() : root_(testing::TempDir() + "picket-sysfs-" + std::to_string(getpid())) {
    fs::remove_all(root_);
    fs::create_directories(root_ + "/bus/usb/devices");
    fs::create_directories(root_ + "/class/net");
  }
  ~Tree() { fs::remove_all(root_); }
  const std::string& root() const { return root_; }

  void write(const std::string& path, std::string_view text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text << "\n";
  }
  void add_stick(int number) const {
    const std::string at = "/devices/pci0/usb1/1-1";
    write(at + "/idVendor", "0781");
    write(at + "/idProduct", "5567");
    write(at + "/manufacturer", "SanDisk");
    write(at + "/product", "Cruzer Blade");
    write(at + "/serial", "4C5300");
    write(at + "/busnum", "1");
    write(at + "/devnum", std::to_string(number));
    for (const char* part : {"/bDeviceClass", "/bDeviceSubClass", "/bDeviceProtocol"}) write(at + part, "00");
    write(at + "/1-1:1.0/bInterfaceClass", "08");
    write(at + "/1-1:1.0/bInterfaceSubClass", "06");
    write(at + "/1-1:1.0/bInterfaceProtocol", "50");
    link("/bus/usb/devices/1-1", "../../../devices/pci0/usb1/1-1");
    link("/bus/usb/devices/1-1:1.0", "../../../devices/pci0/usb1/1-1/1-1:1.0");
  }
  void add_nic(const std::string& name) const {
    write("/devices/pci0/net/" + name + "/address", "02:00:00:00:00:01");
    link("/class/net/" + name, "../../devices/pci0/net/" + name);
  }
  void remove(const std::string& path) const { fs::remove_all(root_ + path); }
  void link(const std::string& path, const std::string& target) const {
    fs::remove(root_ + path);
    fs::create_symlink(target, root_ + path);
  }

 private:
  std::string root_;
};

class PeripheralSysfs : public testing::Test {
 protected:
  PeripheralSysfs() {
    settings.sysfs = tree.root();
    settings.choose("peripheral").tier = "sysfs";
  }
  void look() {
    clock.advance(settings.peripheral_poll_every);
    collector.on_timer();
  }
  Tree tree;
  CollectorSettings settings;
  ManualClock clock{Timestamp{}};
  Recorder sink;
  Collector collector{spec_named("peripheral"), {settings, clock, sink}};
};

TEST_F(PeripheralSysfs, DescribesAStickByItsInterfaceAndItsTexts) {
  ASSERT_TRUE(collector.start());
  tree.add_stick(7);
  look();
  ASSERT_EQ(sink.events.size(), 1u);
  EXPECT_EQ(sink.events[0].items,
            R"({"PeripheralType":"Usb","ActionType":"Connected","BusNumber":1,"KernelDeviceNumber":7,"DeviceClass":0,)"
            R"("DeviceSubClass":0,"DeviceProtocol":0,"InterfaceClass":8,"InterfaceSubClass":6,"InterfaceProtocol":80,)"
            R"("VendorId":"0781","ProductId":"5567","Manufacturer":"SanDisk","Product":"Cruzer Blade",)"
            R"("SerialNumber":"4C5300","Source":"sysfs"})");
  tree.remove("/bus/usb/devices/1-1");
  look();
  ASSERT_EQ(sink.events.size(), 2u);
  EXPECT_THAT(sink.events[1].items, AllOf(HasSubstr("Disconnected"), HasSubstr("4C5300")));
}

TEST_F(PeripheralSysfs, SaysNothingOfWhatWasThereAtTheStart) {
  tree.add_stick(2);
  tree.add_nic("eth0");
  ASSERT_TRUE(collector.start());
  look();
  EXPECT_TRUE(sink.events.empty());
}

TEST_F(PeripheralSysfs, TellsAReplugBetweenTwoLooksByTheNumber) {
  tree.add_stick(2);
  ASSERT_TRUE(collector.start());
  tree.add_stick(3);
  look();
  ASSERT_EQ(sink.events.size(), 2u);
  EXPECT_THAT(sink.events[0].items, HasSubstr("Disconnected"));
  EXPECT_THAT(sink.events[1].items, AllOf(HasSubstr("\"Connected\""), HasSubstr(R"("KernelDeviceNumber":3)")));
}

TEST_F(PeripheralSysfs, CountsASticksReturnAsTheSameHappening) {
  ASSERT_TRUE(collector.start());
  tree.add_stick(2);
  look();
  tree.add_stick(3);
  look();
  ASSERT_EQ(sink.events.size(), 3u);
  EXPECT_EQ(sink.events[0].identity, sink.events[2].identity);
  EXPECT_NE(sink.events[0].identity, sink.events[1].identity);
}

TEST_F(PeripheralSysfs, NamesAnInterfaceItsKindAndAddressButNotLoopback) {
  ASSERT_TRUE(collector.start());
  tree.add_nic("eth1");
  tree.add_nic("lo");
  look();
  ASSERT_EQ(sink.events.size(), 1u);
  EXPECT_EQ(sink.events[0].items, R"({"PeripheralType":"Ethernet","ActionType":"Connected","InterfaceName":"eth1",)"
                                  R"("InterfaceKind":"physical","MacAddress":"02:00:00:00:00:01","Source":"sysfs"})");
}

TEST_F(PeripheralSysfs, NamesEveryClassOfADeviceThatIsSeveralThings) {
  ASSERT_TRUE(collector.start());
  tree.add_stick(2);
  tree.write("/devices/pci0/usb1/1-1/1-1:1.1/bInterfaceClass", "03");
  tree.write("/devices/pci0/usb1/1-1/1-1:1.1/bInterfaceSubClass", "01");
  tree.write("/devices/pci0/usb1/1-1/1-1:1.1/bInterfaceProtocol", "01");
  look();
  ASSERT_EQ(sink.events.size(), 1u);
  EXPECT_THAT(sink.events[0].items, HasSubstr("InterfaceClasses"));
  EXPECT_THAT(sink.events[0].items, HasSubstr("8/6/80"));
  EXPECT_THAT(sink.events[0].items, HasSubstr("3/1/1"));
}

TEST_F(PeripheralSysfs, ReportsNothingButALossWhenThereIsMoreThanItKeeps) {
  ASSERT_TRUE(collector.start());
  for (int i = 0; i < 520; ++i) tree.add_nic("veth" + std::to_string(i));
  look();
  EXPECT_TRUE(sink.events.empty());
  EXPECT_EQ(collector.counters().dropped_user, 1u);
  EXPECT_EQ(collector.counters().seen, 1u);
}

/// The agent runs, once, on what is there.
std::vector<std::string> news_of(const CollectorSettings& settings, ManualClock& clock) {
  Recorder sink;
  Collector collector(spec_named("peripheral"), {settings, clock, sink});
  EXPECT_TRUE(collector.start());
  collector.on_timer();
  std::vector<std::string> out;
  for (const KeptEvent& each : sink.events) out.push_back(each.items);
  return out;
}

TEST_F(PeripheralSysfs, TellsWhatCameAndWentWhileNoAgentRan) {
  settings.state_dir = tree.root() + "/state";
  fs::create_directories(settings.state_dir);
  tree.add_nic("eth0");
  EXPECT_THAT(news_of(settings, clock), IsEmpty()) << "the first time nothing is news";
  tree.add_stick(2);
  tree.remove("/class/net/eth0");
  EXPECT_THAT(news_of(settings, clock),
              ElementsAre(AllOf(HasSubstr("Disconnected"), HasSubstr("eth0"), HasSubstr("02:00:00:00:00:01")),
                          AllOf(HasSubstr("\"Connected\""), HasSubstr("4C5300"), HasSubstr("Cruzer"))));
  tree.add_stick(9);
  EXPECT_THAT(news_of(settings, clock), IsEmpty()) << "the same stick at the same place after a restart";
}

TEST_F(PeripheralSysfs, ChangesNothingByBeingOpened) {
  settings.state_dir = tree.root() + "/state";
  fs::create_directories(settings.state_dir);
  tree.add_stick(2);
  ASSERT_TRUE(collector.start());
  EXPECT_FALSE(fs::exists(settings.state_dir + "/peripherals"));
}

TEST(PeripheralMemory, ReadsBackWhatItWroteAndPassesOverTheRest) {
  PeripheralDevice stick{.path = "/devices/pci0/usb1/1-1"};
  stick.vendor_id = "0781";
  stick.product_id = "5567";
  stick.serial = "has\ta tab\n";
  PeripheralDevice nic{.type = message::PeripheralType::Ethernet, .path = "/devices/pci0/net/eth0"};
  nic.interface_name = "eth0";
  PeripheralDevice software = nic;
  software.path = "/devices/virtual/net/veth0";
  const std::string text = write_memory(std::vector{stick, nic, software});
  const auto back = read_memory("garbage\n" + text + "usb\tcut", 10);
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(memory_line(back[0]), memory_line(stick));
  EXPECT_EQ(memory_line(back[1]), memory_line(nic));
  EXPECT_EQ(read_memory(text, 1).size(), 1u);
}

TEST_F(PeripheralSysfs, DoesNotOpenWithoutSysfs) {
  settings.sysfs = "/nowhere";
  EXPECT_FALSE(collector.start());
}

}  // namespace
}  // namespace picket::agent
