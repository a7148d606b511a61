// Software bills of materials as documents: CycloneDX and SPDX, in and out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "sbom/component.h"

namespace picket::sbom {

/// What a document is about, for its head.
struct Subject {
  std::string name;          ///< Of the device or firmware.
  std::string version;       ///< Of the firmware; may be empty.
  std::string serial;        ///< UUID of this document, in lower case.
  std::string tool_version;  ///< Picket's.
  Timestamp created;
};

/// CycloneDX 1.6 as JSON. Components in the given order, as "component-0" and so on; each with its purl.
/// `vulnerabilities`: a JSON array for the member of that name, which refers to them; empty: none.
std::string to_cyclonedx(const Subject& subject, std::span<const Component> components,
                         std::string_view vulnerabilities = {});
/// SPDX 2.3 as JSON; every component a package that the subject contains.
std::string to_spdx(const Subject& subject, std::span<const Component> components);

struct Document {
  std::string format;  ///< "CycloneDX 1.6", "SPDX-2.3".
  std::string name, version;
  std::vector<Component> components;
  std::uint64_t left_out = 0;  ///< Entries without a name, or past kDocumentComponentsMax.
};

inline constexpr std::size_t kDocumentBytesMax = 64U << 20;
inline constexpr std::size_t kDocumentComponentsMax = 50'000;

/// Reads CycloneDX 1.2 to 1.6 JSON or SPDX 2.2 and 2.3 JSON or tag-value, told apart by their content. Nested
/// components count too. Errors: limit_exceeded (size, depth), truncated or malformed with the offset, unsupported
/// "sbom.format".
Result<Document> read_document(std::string_view text);

}  // namespace picket::sbom
