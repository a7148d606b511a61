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

/// A rule that a document breaks and that does not concern its software, or a package URL that breaks one of its type.
struct Remark {
  std::string_view where;    ///< As in Error.
  std::uint64_t offset = 0;  ///< In the text; of a package URL the number of its component.
};
inline constexpr std::size_t kRemarksMax = 100;

struct Document {
  std::string format;  ///< "CycloneDX 1.6", "SPDX-2.3", "SPDX-3.0.1".
  std::string name, version;
  std::string system;  ///< The distribution that packages are of, where the document names one: "debian-12".
  std::vector<Component> components;
  std::uint64_t left_out = 0;   ///< Entries without a name, past kDocumentComponentsMax, or not meant for the product.
  std::vector<Remark> remarks;  ///< The first kRemarksMax.
};

inline constexpr std::size_t kDocumentBytesMax = 64U << 20;
inline constexpr std::size_t kDocumentComponentsMax = 50'000;

/// Reads CycloneDX 1.2 to 1.7 JSON, SPDX 2.2 and 2.3 JSON or tag-value, SPDX 3.0 JSON-LD, told apart by their content;
/// also inside of an in-toto statement or its DSSE envelope (signatures are not checked), and as GitHub's API gives
/// SPDX. Nested components count too. Errors: limit_exceeded (size, depth), truncated or malformed with the offset;
/// malformed "cyclonedx.…", "spdx.…" where what it says of software breaks the specification; unsupported
/// "sbom.format", "cyclonedx.specVersion", "cyclonedx.xml", "spdx.spdxVersion", "spdx.yaml", "spdx.xml".
Result<Document> read_document(std::string_view text);

/// Why a document was refused, for people: with what would be read.
std::string describe_refusal(const Error& error);

}  // namespace picket::sbom
