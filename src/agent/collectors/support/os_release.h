// os-release(5), and what devices without one have in its place.
#pragma once

#include <string>
#include <string_view>

namespace picket::agent {

/// Value of NAME in the text of os-release(5), without its quotes and backslashes; empty: not there.
std::string os_release_value(std::string_view text, std::string_view name);

struct OsRelease {
  std::string name, id, version_id, version;
};
/// From etc/os-release or usr/lib/os-release below `root`; else what OpenWrt (etc/openwrt_release), Buildroot
/// (etc/br-version) and old Yocto images (etc/version, etc/issue) leave behind.
OsRelease read_os_release(const std::string& root);

}  // namespace picket::agent
