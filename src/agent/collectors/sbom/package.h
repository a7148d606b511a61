// One piece of software, as every reader of this folder gives it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace picket::agent {

/// Texts are bounded by kTextMax.
struct Package {
  static constexpr std::size_t kTextMax = 512;

  std::string_view type;  ///< deb, rpm, apk, opkg, pypi, npm, binary. Static storage.
  std::string name, version, vendor, architecture;
  std::string source_name, source_version;  ///< Empty: those of the package.
  std::string epoch;                        ///< rpm
  std::string evidence;                     ///< Where it was found, for what no package manager says.
};
using PackageSink = std::function<void(const Package& package)>;

/// The system that packages are of, from os-release: ID and VERSION_ID.
struct Distribution {
  std::string id, version;
};

/// "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12" (package-url specification 1.0).
std::string package_url(const Package& package, const Distribution& distribution);

}  // namespace picket::agent
