// What the readers of documents share.
#pragma once

#include <string>
#include <string_view>

#include "base/core/json_reader.h"
#include "sbom/documents.h"

namespace picket::sbom {

Result<Document> read_cyclonedx(const Json& root);
Result<Document> read_spdx(const Json& root);
Result<Document> read_spdx3(const Json& root);
Result<Document> read_spdx_tags(std::string_view text);

/// The rules of CycloneDX that a document breaks: those that concern its software are an error, "cyclonedx.…" with the
/// place, the others are added to `remarks`. `root` is the whole text.
Result<> check_cyclonedx(const Json& root, std::vector<Remark>& remarks);

inline constexpr std::size_t kNestedMax = 16;       ///< Components in components.
inline constexpr std::size_t kPurlBytesMax = 2048;  ///< Of a document; an inventory keeps kTextBytesMax.

/// A text member, cut at `bytes_max`; empty: none.
std::string member(const Json& object, std::string_view name, std::size_t bytes_max = kTextBytesMax);
/// Of a purl where it is one, else of name and version.
Component component_from(const std::string& purl, const std::string& name, const std::string& version);
/// "debian" and "12" as a package URL has them: "debian-12". Empty: not both are said.
std::string system_of(std::string_view name, std::string_view version);
/// "built from openssl 3.0.11-1", or syft's "built package from: openssl 3.0.11-1".
void read_source(std::string_view info, Component& out);
/// With type and purl, whatever was said.
Component finished(Component component);

}  // namespace picket::sbom
