#include "sbom/documents.h"

#include "document_parts.h"

namespace picket::sbom {
namespace {
constexpr std::size_t kDepthMax = 64;
}

std::string member(const Json& object, std::string_view name, std::size_t bytes_max) {
  const auto value = object.find(name);
  auto text = value ? value->text() : std::nullopt;
  if (!text) return {};
  if (text->size() > bytes_max) {
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xC0U) == 0x80U) --end;
    text->resize(end);
  }
  return *std::move(text);
}

Component component_from(const std::string& purl, const std::string& name, const std::string& version) {
  if (const auto url = purl.empty() ? Result<PackageUrl>(fail(Errc::not_found, "purl")) : parse_purl(purl)) {
    Component out = component_of(*url);
    if (out.version.empty()) out.version = version;
    return out;
  }
  return {.name = name, .version = version};
}

Component finished(Component component) {
  if (component.type.empty()) component.type = "binary";
  if (component.purl.empty()) component.purl = make_purl(component, "");
  return component;
}

Result<Document> read_document(std::string_view text) {
  if (text.size() > kDocumentBytesMax) return fail(Errc::limit_exceeded, "sbom.document", kDocumentBytesMax);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] != '{') {
    if (text.starts_with("SPDXVersion:") || text.contains("\nSPDXVersion:")) return read_spdx_tags(text);
    return fail(Errc::unsupported, "sbom.format", first);
  }
  TRY(const Json root, parse_json(text, kDepthMax));
  if (root.find("bomFormat")) return read_cyclonedx(root);
  if (root.find("spdxVersion")) return read_spdx(root);
  return fail(Errc::unsupported, "sbom.format");
}

}  // namespace picket::sbom
