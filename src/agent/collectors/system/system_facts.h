// Facts about the machine, read from uname, os-release, DMI or the device tree, and the network interfaces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/record.h"

namespace picket::agent {

/// Value of NAME in the text of os-release(5), without its quotes and backslashes; empty: not there.
std::string os_release_value(std::string_view text, std::string_view name);
/// Value in kB of a line such as "MemTotal:  1234 kB" in /proc/meminfo; 0: not there.
std::uint64_t meminfo_kib(std::string_view text, std::string_view name);

/// A SystemRecord and the texts its views point to.
class SystemFacts {
 public:
  static constexpr std::size_t kNicsMax = 64;
  static constexpr std::size_t kAddressesMax = 32;  ///< An interface.

  /// Reads everything now. `procfs` and `root` (for /etc, /sys) are folders; root is "" on a device.
  void read(const std::string& procfs, const std::string& root);
  /// Valid until the next read(); time and origin are the caller's.
  [[nodiscard]] const SystemRecord& record() const { return record_; }

 private:
  struct Nic {
    std::string name;
    std::vector<IpAddress> addresses;
  };
  void read_nics(const std::string& root);

  std::vector<std::string> texts_;
  std::vector<Nic> nics_;
  std::vector<NicInfo> nic_views_;
  SystemRecord record_;
};

}  // namespace picket::agent
