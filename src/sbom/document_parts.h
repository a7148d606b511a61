// What the readers of documents share.
#pragma once

#include <string>
#include <string_view>

#include "base/core/json_reader.h"
#include "sbom/documents.h"

namespace picket::sbom {

Result<Document> read_cyclonedx(const Json& root);
Result<Document> read_spdx(const Json& root);
Result<Document> read_spdx_tags(std::string_view text);

inline constexpr std::size_t kPurlBytesMax = 2048;  ///< Of a document; an inventory keeps kTextBytesMax.

/// A text member, cut at `bytes_max`; empty: none.
std::string member(const Json& object, std::string_view name, std::size_t bytes_max = kTextBytesMax);
/// Of a purl where it is one, else of name and version.
Component component_from(const std::string& purl, const std::string& name, const std::string& version);
/// With type and purl, whatever was said.
Component finished(Component component);

}  // namespace picket::sbom
