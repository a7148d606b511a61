// Messages as this kernel and Debian's 6.1 with USB send them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "peripheral/uevent_message.h"

namespace picket::agent {
namespace {

using namespace std::string_view_literals;

constexpr auto kStick =
    "add@/devices/pci0000:00/0000:00:04.0/usb1/1-1\0ACTION=add\0"
    "DEVPATH=/devices/pci0000:00/0000:00:04.0/usb1/1-1\0SUBSYSTEM=usb\0MAJOR=189\0MINOR=1\0"
    "DEVNAME=bus/usb/001/002\0DEVTYPE=usb_device\0PRODUCT=781/5567/126\0TYPE=0/0/0\0BUSNUM=001\0DEVNUM=002\0"
    "SEQNUM=1042\0"sv;
constexpr auto kStickInterface =
    "add@/devices/pci0000:00/0000:00:04.0/usb1/1-1/1-1:1.0\0ACTION=add\0"
    "DEVPATH=/devices/pci0000:00/0000:00:04.0/usb1/1-1/1-1:1.0\0SUBSYSTEM=usb\0DEVTYPE=usb_interface\0"
    "PRODUCT=781/5567/126\0TYPE=0/0/0\0INTERFACE=8/6/80\0"
    "MODALIAS=usb:v0781p5567d0126dc00dsc00dp00ic08isc06ip50in00\0SEQNUM=1043\0"sv;

std::string with(std::string_view message, std::string_view from, std::string_view to) {
  std::string out(message);
  out.replace(out.find(from), from.size(), to);
  return out;
}

TEST(UeventMessage, TellsAUsbDeviceByItsNumbers) {
  const auto event = parse_uevent(as_bytes(kStick));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->action, Uevent::Action::add);
  EXPECT_EQ(event->kind, Uevent::Kind::usb_device);
  EXPECT_EQ(event->path, "/devices/pci0000:00/0000:00:04.0/usb1/1-1");
  EXPECT_TRUE(event->has_ids);
  EXPECT_EQ(event->vendor, 0x0781);
  EXPECT_EQ(event->product, 0x5567);
  EXPECT_EQ(event->usb_class, (UsbClass{0, 0, 0}));
  EXPECT_EQ(event->bus, 1);
  EXPECT_EQ(event->number, 2);
}

TEST(UeventMessage, TakesTheClassOfAnInterfaceFromTheInterface) {
  const auto event = parse_uevent(as_bytes(kStickInterface));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, Uevent::Kind::usb_interface);
  EXPECT_EQ(event->usb_class, (UsbClass{8, 6, 80}));
}

TEST(UeventMessage, TellsANetworkInterfaceAndItsNewName) {
  const auto came = parse_uevent(
      as_bytes("add@/devices/virtual/net/wlan0\0ACTION=add\0DEVPATH=/devices/virtual/net/wlan0\0SUBSYSTEM=net\0"
               "DEVTYPE=wlan\0INTERFACE=wlan0\0IFINDEX=7\0SEQNUM=9\0"sv));
  ASSERT_TRUE(came);
  EXPECT_EQ(came->kind, Uevent::Kind::network);
  EXPECT_EQ(came->interface_name, "wlan0");
  EXPECT_EQ(came->device_type, "wlan");
  const auto moved =
      parse_uevent(as_bytes("move@/devices/virtual/net/b\0ACTION=move\0DEVPATH=/devices/virtual/net/b\0SUBSYSTEM=net\0"
                            "DEVPATH_OLD=/devices/virtual/net/a\0INTERFACE=b\0IFINDEX=7\0SEQNUM=10\0"sv));
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->action, Uevent::Action::move);
  EXPECT_EQ(moved->old_path, "/devices/virtual/net/a");
}

TEST(UeventMessage, PassesOverWhatIsNoDeviceOfOurs) {
  EXPECT_FALSE(parse_uevent(as_bytes(with(kStick, "SUBSYSTEM=usb", "SUBSYSTEM=tty"))));
  EXPECT_FALSE(parse_uevent(as_bytes(with(kStick, "ACTION=add", "ACTION=bind"))));
  EXPECT_FALSE(parse_uevent(as_bytes(with(kStick, "DEVTYPE=usb_device", "DEVTYPE=usb_other"))));
  EXPECT_FALSE(parse_uevent(as_bytes(with(kStick, "DEVPATH=/devices/pci0000:00", "DEVPATH=/devices/../etc"))));
  EXPECT_FALSE(parse_uevent(as_bytes(with(kStick, "DEVPATH=/devices", "DEVPATH=/etc"))));
  EXPECT_FALSE(parse_uevent(as_bytes("libudev\0\xfe\xed\xca\xfe"sv)));
  EXPECT_FALSE(parse_uevent({}));
}

TEST(UeventMessage, TakesANumberThatIsNoneAsAbsent) {
  const std::string text =
      with(with(kStick, "PRODUCT=781/5567/126", "PRODUCT=781/15567/126"), "BUSNUM=001", "BUSNUM=x");
  const auto event = parse_uevent(as_bytes(text));
  ASSERT_TRUE(event);
  EXPECT_FALSE(event->has_ids);
  EXPECT_FALSE(event->bus);
  EXPECT_EQ(event->number, 2);
}

TEST(UsbClassText, NeedsThreeNumbersOfAByte) {
  EXPECT_EQ(parse_usb_class("255/0/1"), (UsbClass{255, 0, 1}));
  EXPECT_FALSE(parse_usb_class("256/0/1"));
  EXPECT_FALSE(parse_usb_class("8/6"));
  EXPECT_FALSE(parse_usb_class("8/6/80/1"));
  EXPECT_FALSE(parse_usb_class(""));
}

}  // namespace
}  // namespace picket::agent
