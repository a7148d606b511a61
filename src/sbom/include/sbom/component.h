// One piece of software as an inventory holds it, and its package URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"

namespace picket::sbom {

/// Longer texts are cut where they enter: an inventory keeps millions of them.
inline constexpr std::size_t kTextBytesMax = 512;

/// What a device or a document says about one package. Empty: not said.
struct Component {
  std::string
      type;  ///< deb, rpm, apk, opkg, pypi, npm, …: the type of the package URL; binary: a program said so itself.
  std::string name, version, vendor, architecture;
  std::string source_name, source_version;  ///< Of the source package, where it is another.
  std::string purl;
  std::string evidence;  ///< Where it was found, when no package manager says.

  friend auto operator<=>(const Component&, const Component&) = default;
};

/// What names a component among those of one device: type, name, architecture, and the version where several may
/// stand beside each other (rpm, languages, programs). As the agent's collector has it.
std::string identity_of(const Component& component);

/// A package URL in parts (package-url specification 1.0), decoded.
struct PackageUrl {
  std::string type;        ///< Lower case.
  std::string name_space;  ///< "debian", "@angular", "github.com/gorilla"; parts joined by '/'.
  std::string name, version;
  std::vector<std::pair<std::string, std::string>> qualifiers;  ///< Keys in lower case.
  std::string subpath;

  /// "" when there is none.
  [[nodiscard]] std::string_view qualifier(std::string_view key) const;
  friend bool operator==(const PackageUrl&, const PackageUrl&) = default;
};

/// How much of the specification a package URL must follow.
enum class PurlRules : std::uint8_t {
  common,  ///< The common form. As others write them: keys in capitals, without the namespace that the type has.
  all,     ///< Also what its type asks for, and keys in lower case.
};

/// The parts in the canonical form of their type. Errors: malformed "purl.scheme", "purl.type", "purl.name",
/// "purl.encoding", "purl.qualifiers", with the offset; by the rules of the type "purl.namespace", "purl.version".
Result<PackageUrl> parse_purl(std::string_view text, PurlRules rules = PurlRules::common);
/// Parts from elsewhere, checked by all rules and in the canonical form. Errors: as above, without an offset.
Result<PackageUrl> canonical_purl(PackageUrl url);
/// The canonical text: qualifiers sorted, those without a value left out.
std::string format_purl(const PackageUrl& url);

/// A component of what a package URL says.
Component component_of(const PackageUrl& url);

/// The purl of a component that came without one: names, version and architecture; `distribution` ("debian-12") where
/// the type has one.
std::string make_purl(const Component& component, std::string_view distribution);

}  // namespace picket::sbom
