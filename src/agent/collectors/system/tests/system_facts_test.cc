#include "system/system_facts.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::agent {
namespace {

class SystemFactsTest : public testing::Test {
 protected:
  SystemFactsTest() {
    std::string name = ::testing::TempDir() + "picket-system-XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~SystemFactsTest() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path, std::ios::binary) << text;
  }
  const SystemRecord& read() {
    facts_.read("/proc", root_);
    return facts_.record();
  }
  std::string root_;
  SystemFacts facts_;
};

TEST_F(SystemFactsTest, ABoardWithADeviceTree) {
  write("/proc/device-tree/model", std::string_view("Raspberry Pi 4 Model B Rev 1.4\0", 31));
  write("/proc/device-tree/serial-number", std::string_view("10000000abcdef01\0", 17));
  write("/proc/device-tree/compatible", std::string_view("raspberrypi,4-model-b\0brcm,bcm2711\0", 35));
  const SystemRecord& record = read();
  EXPECT_EQ(record.hardware_model, "Raspberry Pi 4 Model B Rev 1.4");
  EXPECT_EQ(record.hardware_serial, "10000000abcdef01");
  EXPECT_EQ(record.hardware_vendor, "raspberrypi");
}

TEST_F(SystemFactsTest, DmiWithoutTheMakersEmptyWords) {
  write("/sys/class/dmi/id/sys_vendor", "To Be Filled By O.E.M.\n");
  write("/sys/class/dmi/id/board_vendor", "ASRock\n");
  write("/sys/class/dmi/id/product_name", "Default string\n");
  write("/sys/class/dmi/id/board_name", "J4105-ITX\n");
  write("/sys/class/dmi/id/product_serial", "None\n");
  write("/sys/class/dmi/id/bios_version", "P1.40\n");
  const SystemRecord& record = read();
  EXPECT_EQ(record.hardware_vendor, "ASRock");
  EXPECT_EQ(record.hardware_model, "J4105-ITX");
  EXPECT_EQ(record.hardware_serial, "");
  EXPECT_EQ(record.firmware_version, "P1.40");
}

TEST_F(SystemFactsTest, WhatIsPutInPlaceWinsAndTheRestStays) {
  write("/sys/class/dmi/id/sys_vendor", "QEMU\n");
  write("/sys/class/dmi/id/product_name", "Standard PC\n");
  read();
  facts_.override_with(parse_sysinfo(R"({"HardwareVendor":"Acme","FirmwareVersion":"7","Other":{"a":1}})"));
  facts_.override_with({.hardware_vendor = "Twin"});
  EXPECT_EQ(facts_.record().hardware_vendor, "Twin");
  EXPECT_EQ(facts_.record().firmware_version, "7");
  EXPECT_EQ(facts_.record().hardware_model, "Standard PC");
}

TEST_F(SystemFactsTest, ABrokenSysinfoSaysNothing) {
  for (const std::string_view broken : {"", "[", "[]", R"({"HardwareVendor":1})", R"({"HardwareVendor":"A")"}) {
    EXPECT_EQ(parse_sysinfo(broken).hardware_vendor, "") << broken;
  }
}

TEST_F(SystemFactsTest, NamesOfDistributionsWithoutOsRelease) {
  write("/etc/openwrt_release", "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='15.05.1'\n");
  EXPECT_EQ(read().os_name, "OpenWrt");
  EXPECT_EQ(facts_.record().os_version, "15.05.1");
  write("/etc/os-release",
        "ID=poky\nNAME=\"Poky (Yocto Project Reference Distro)\"\nVERSION=\"4.0.10 (kirkstone)\"\nVERSION_ID=4.0.10\n");
  EXPECT_EQ(read().os_name, "Poky (Yocto Project Reference Distro)") << "os-release comes first";
  EXPECT_EQ(facts_.record().os_version, "4.0.10");
  write("/etc/os-release", "NAME=Buildroot\nVERSION=2023.02\nID=buildroot\n");
  EXPECT_EQ(read().os_version, "2023.02") << "VERSION where there is no VERSION_ID";
}

TEST(CpuInfo, ValueOfAWholeName) {
  constexpr std::string_view text = "model name\t: ARMv7\nHardware\t: BCM2835\nSerial\t\t: 00000000abc\n";
  EXPECT_EQ(cpuinfo_value(text, "Hardware"), "BCM2835");
  EXPECT_EQ(cpuinfo_value(text, "Serial"), "00000000abc");
  EXPECT_EQ(cpuinfo_value(text, "model"), "");
}

}  // namespace
}  // namespace picket::agent
