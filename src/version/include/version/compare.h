// Which of two versions is newer, by the rules of those who made them. No parsing of ranges, no opinions.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace picket::version {

/// One family of rules.
enum class Scheme : std::uint8_t {
  dpkg = 1,  ///< Debian, Ubuntu; opkg (OpenWrt, Yocto). Debian Policy 5.6.12.
  rpm,       ///< [epoch:]version[-release]; rpmvercmp with ~ and ^.
  apk,       ///< Alpine: suffixes, -rN.
  semver,    ///< Semantic Versioning 2.0.0, section 11; crates.io, Hex and others.
  npm,       ///< As semver; "v" and "=" in front are skipped.
  go,        ///< As semver with "v" or "go" in front.
  pep440,    ///< PyPI. What is not PEP 440 sorts before all that is, as the old setuptools did.
  maven,     ///< Version order specification of the POM reference.
  generic,   ///< Upstream numbers without a packager: "1.1.1w", "6.1.0-rc3", "1.36.1".
};

/// The order of `a` and `b`, for any bytes: antisymmetric, and transitive for all schemes but maven, whose published
/// rules have circles (maven.cc). Versions that differ in writing only ("1.0" and "01.00" of rpm) are equivalent.
/// Linear in the lengths; digits have no bound. No state, any thread.
[[nodiscard]] std::weak_ordering compare(Scheme scheme, std::string_view a, std::string_view b);

[[nodiscard]] std::string_view to_string(Scheme scheme);

/// The scheme of an OSV ecosystem ("Debian:12", "Alpine:v3.19", "PyPI"); what stands behind the colon does not matter.
/// nullopt: one we have no rules for, so that its versions cannot be ordered.
[[nodiscard]] std::optional<Scheme> scheme_of_ecosystem(std::string_view ecosystem);

}  // namespace picket::version
