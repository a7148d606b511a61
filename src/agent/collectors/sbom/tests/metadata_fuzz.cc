// Claim: what is found has a name and a version within their bounds, and more text behind a document changes nothing.
#include <cstdlib>

#include "base/core/bytes.h"
#include "sbom/metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent;
  const std::string_view text = picket::as_text(std::as_bytes(std::span(data, size)));
  for (const auto& package : {parse_python_metadata(text), parse_package_json(text)}) {
    if (!package) continue;
    if (package->name.empty() || package->version.empty()) std::abort();
    if (package->name.size() > Package::kTextMax || package->version.size() > Package::kTextMax) std::abort();
    (void)package_url(*package, {});
  }
  const auto json = parse_package_json(text);
  const auto more = parse_package_json(std::string(text) + "}");
  if (json && (!more || more->name != json->name || more->version != json->version)) std::abort();
  const auto version = version_behind(text, "v");
  if (!version.empty() && (version[0] < '0' || version[0] > '9')) std::abort();
  return 0;
}
