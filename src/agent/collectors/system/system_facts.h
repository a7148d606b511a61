// Facts about the machine, read from uname, os-release, DMI or the device tree, and the network interfaces.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/record.h"
#include "support/os_release.h"

namespace picket::agent {

/// Value of a line such as "Hardware\t: BCM2711" in /proc/cpuinfo; empty: not there.
std::string cpuinfo_value(std::string_view text, std::string_view name);
/// Value in kB of a line such as "MemTotal:  1234 kB" in /proc/meminfo; 0: not there.
std::uint64_t meminfo_kib(std::string_view text, std::string_view name);

/// What the device says of itself may be wrong or missing; these are put in place, where not empty.
struct HardwareNames {
  std::string hardware_vendor, hardware_model, hardware_serial, firmware_vendor, firmware_version;
};
/// Reads sysinfo.json, a flat object of texts: HardwareVendor, HardwareModel, HardwareSerialNumber, FirmwareVendor,
/// FirmwareVersion. What is not of that form, or not there, is empty.
HardwareNames parse_sysinfo(std::string_view json);

/// A SystemRecord and the texts its views point to.
class SystemFacts {
 public:
  static constexpr std::size_t kNicsMax = 64;
  static constexpr std::size_t kAddressesMax = 32;  ///< An interface.

  /// Reads everything now. `procfs` and `root` (for /etc, /sys) are folders; root is "" on a device.
  void read(const std::string& procfs, const std::string& root);
  /// To be called after read(), at most twice; the later one wins.
  void override_with(const HardwareNames& names);
  /// Valid until the next read(); time and origin are the caller's.
  [[nodiscard]] const SystemRecord& record() const { return record_; }

 private:
  struct Nic {
    std::string name;
    std::vector<IpAddress> addresses;
  };
  void read_hardware(const std::string& procfs, const std::string& root,
                     const std::function<std::string_view(std::string)>& keep);
  void read_nics(const std::string& root);

  std::vector<std::string> texts_, overrides_;
  std::vector<Nic> nics_;
  std::vector<NicInfo> nic_views_;
  SystemRecord record_;
};

}  // namespace picket::agent
