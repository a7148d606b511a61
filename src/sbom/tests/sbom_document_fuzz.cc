// Claim: whatever can be read can be written as CycloneDX, and comes back with the same components.
#include <cstdint>
#include <cstdlib>

#include "sbom/documents.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::sbom;
  const auto document = read_document({reinterpret_cast<const char*>(data), size});
  if (!document) return 0;
  const Subject subject{.name = document->name, .version = "", .serial = "3e671687-395b-41f5-a30f-a58921a69b79"};
  const auto back = read_document(to_cyclonedx(subject, document->components));
  if (!back || back->components.size() != document->components.size()) std::abort();
  if (!read_document(to_spdx(subject, document->components))) std::abort();
  for (std::size_t i = 0; i < back->components.size(); ++i) {
    if (back->components[i].purl != document->components[i].purl) std::abort();
  }
  return 0;
}
