#include "version/compare.h"

#include <algorithm>
#include <utility>

#include "schemes.h"

namespace picket::version {
namespace {

constexpr std::pair<std::string_view, Scheme> kEcosystems[] = {
    {"Debian", Scheme::dpkg},
    {"Ubuntu", Scheme::dpkg},
    {"OpenWrt", Scheme::dpkg},
    {"Alpine", Scheme::apk},
    {"Wolfi", Scheme::apk},
    {"Chainguard", Scheme::apk},
    {"Red Hat", Scheme::rpm},
    {"AlmaLinux", Scheme::rpm},
    {"Rocky Linux", Scheme::rpm},
    {"SUSE", Scheme::rpm},
    {"openSUSE", Scheme::rpm},
    {"Fedora", Scheme::rpm},
    {"openEuler", Scheme::rpm},
    {"Mageia", Scheme::rpm},
    {"Azure Linux", Scheme::rpm},
    {"npm", Scheme::npm},
    {"Go", Scheme::go},
    {"PyPI", Scheme::pep440},
    {"Maven", Scheme::maven},
    {"crates.io", Scheme::semver},
    {"Hex", Scheme::semver},
    {"SwiftURL", Scheme::semver},
    {"Bitnami", Scheme::semver},
    {"ConanCenter", Scheme::semver},
    {"GitHub Actions", Scheme::semver},
    {"generic", Scheme::generic},
};

}  // namespace

std::weak_ordering compare(Scheme scheme, std::string_view a, std::string_view b) {
  switch (scheme) {
    case Scheme::dpkg:
      return compare_dpkg(a, b);
    case Scheme::rpm:
      return compare_rpm(a, b);
    case Scheme::apk:
      return compare_apk(a, b);
    case Scheme::semver:
    case Scheme::npm:
    case Scheme::go:
      return compare_semver(a, b);
    case Scheme::pep440:
      return compare_pep440(a, b);
    case Scheme::maven:
      return compare_maven(a, b);
    case Scheme::generic:
      return compare_generic(a, b);
  }
  return a <=> b;
}

std::string_view to_string(Scheme scheme) {
  switch (scheme) {
    case Scheme::dpkg:
      return "dpkg";
    case Scheme::rpm:
      return "rpm";
    case Scheme::apk:
      return "apk";
    case Scheme::semver:
      return "semver";
    case Scheme::npm:
      return "npm";
    case Scheme::go:
      return "go";
    case Scheme::pep440:
      return "pep440";
    case Scheme::maven:
      return "maven";
    case Scheme::generic:
      return "generic";
  }
  return "unknown";
}

std::optional<Scheme> scheme_of_ecosystem(std::string_view ecosystem) {
  const auto name = ecosystem.substr(0, ecosystem.find(':'));
  const auto found = std::ranges::find(kEcosystems, name, &std::pair<std::string_view, Scheme>::first);
  if (found == std::end(kEcosystems)) return std::nullopt;
  return found->second;
}

}  // namespace picket::version
