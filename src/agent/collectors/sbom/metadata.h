// What installed packages of languages say of themselves: Python's METADATA and PKG-INFO, Node's package.json.
#pragma once

#include <optional>
#include <string_view>

#include "sbom/package.h"

namespace picket::agent {

/// Bytes of such a file that are read; what is of use stands in front.
inline constexpr std::size_t kMetadataBytesMax = 32 << 10;

/// Headers up to the first empty line (PEP 566 names). nullopt: no Name or Version.
std::optional<Package> parse_python_metadata(std::string_view text);

/// The members "name", "version" and "author" of the outermost object; others are skipped whatever they hold. `text`
/// may be cut off behind them. nullopt: no JSON object up to there, or no name or version.
std::optional<Package> parse_package_json(std::string_view text);

/// The version behind a mark such as "BusyBox v" in a piece of a program: digits, letters, dots and dashes. Empty: the
/// mark is not there, or no digit follows it.
std::string_view version_behind(std::string_view piece, std::string_view mark);

}  // namespace picket::agent
