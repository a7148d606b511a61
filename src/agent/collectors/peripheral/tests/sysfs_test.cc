// Tier sysfs on a tree in the form of the kernel's: this machine has no USB.
#include <filesystem>
#include <fstream>

#include "peripheral/peripheral_device.h"
#include "tests/live.h"

namespace picket::agent {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
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

TEST_F(PeripheralSysfs, DoesNotOpenWithoutSysfs) {
  settings.sysfs = "/nowhere";
  EXPECT_FALSE(collector.start());
}

}  // namespace
}  // namespace picket::agent
