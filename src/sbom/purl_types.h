// The rules that single types of package URLs have beyond the common form.
#pragma once

#include "base/core/result.h"
#include "sbom/component.h"

namespace picket::sbom {

/// Brings parts to their type's canonical form: case, signs that mean the same, where a name begins.
void normalize_purl(PackageUrl& url);

/// Errors: malformed "purl.namespace" (missing, or there where the type has none), "purl.name", "purl.version",
/// "purl.qualifiers" (one that the type must have).
Result<> check_purl(const PackageUrl& url);

/// Keys of qualifiers are in lower case; the specification's own suite takes Maven's in any.
inline bool may_have_capital_keys(std::string_view type) { return type == "maven"; }

}  // namespace picket::sbom
