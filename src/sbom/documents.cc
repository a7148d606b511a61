#include "sbom/documents.h"

#include "base/core/bytes.h"
#include "base/core/encoding.h"
#include "document_parts.h"

namespace picket::sbom {
namespace {
constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kEnvelopesMax = 3;
}  // namespace

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

std::string system_of(std::string_view name, std::string_view version) {
  if (name.empty() || version.empty()) return {};
  std::string out;
  for (const char c : name) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out.append("-").append(version);
}

Component finished(Component component) {
  if (component.type.empty()) component.type = "binary";
  if (component.purl.empty()) component.purl = make_purl(component, "");
  return component;
}

namespace {

/// What it is, when it is not JSON: for the one who asks why it was refused.
std::string_view other_form(std::string_view text) {
  const auto head = text.substr(0, 4096);
  if (head.starts_with('<')) {
    if (head.contains("cyclonedx.org")) return "cyclonedx.xml";
    if (head.contains("spdx")) return "spdx.xml";
  }
  if (head.contains("spdxVersion:") || head.contains("SPDXID:")) return "spdx.yaml";
  return "sbom.format";
}

/// Packages that do not say whose they are, are of the system that the document names.
void name_system(Document& document) {
  if (document.system.empty()) return;
  const auto id = std::string_view(document.system).substr(0, document.system.find('-'));
  for (Component& component : document.components) {
    if (component.type != "deb" && component.type != "rpm" && component.type != "apk") continue;
    auto url = parse_purl(component.purl);
    if (!url || url->name_space != id || !url->qualifier("distro").empty()) continue;
    url->qualifiers.emplace_back("distro", document.system);
    component.purl = format_purl(*url);
  }
}

void remark_purls(Document& document) {
  for (std::size_t i = 0; i < document.components.size() && document.remarks.size() < kRemarksMax; ++i) {
    const auto url = parse_purl(document.components[i].purl, PurlRules::all);
    if (!url) document.remarks.push_back({url.error().where, i});
  }
}

Result<Document> read_json(const Json& root, std::size_t envelopes);

/// What is inside of a DSSE envelope: https://github.com/secure-systems-lab/dsse
Result<Document> read_envelope(const Json& payload, std::size_t envelopes) {
  const auto bytes = from_base64(payload.text().value_or(""));
  if (!bytes) return fail(Errc::malformed, "sbom.envelope.payload");
  const auto text = as_text(*bytes);
  TRY(const Json root, parse_json(text, kDepthMax));
  return read_json(root, envelopes - 1);
}

Result<Document> read_json(const Json& root, std::size_t envelopes) {
  if (envelopes > 0) {
    if (const auto payload = root.find("payload"); payload && root.find("payloadType"))
      return read_envelope(*payload, envelopes);
    if (const auto predicate = root.find("predicate"); predicate && root.find("predicateType")) {
      const auto data = predicate->find("Data");  // as cosign had it
      return read_json(data && data->kind() == Json::Kind::object ? *data : *predicate, envelopes - 1);
    }
    if (const auto sbom = root.find("sbom"); sbom && sbom->find("spdxVersion"))
      return read_json(*sbom, envelopes - 1);  // GitHub's API
  }
  if (root.find("bomFormat")) return read_cyclonedx(root);
  if (root.find("spdxVersion")) return read_spdx(root);
  if (root.find("@context") && root.find("@graph")) return read_spdx3(root);
  return fail(Errc::unsupported, "sbom.format");
}

Result<Document> read_any(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] != '{') {
    if (text.starts_with("SPDXVersion:") || text.contains("\nSPDXVersion:")) return read_spdx_tags(text);
    return fail(Errc::unsupported, other_form(text.substr(first)), first);
  }
  TRY(const Json root, parse_json(text, kDepthMax));
  return read_json(root, kEnvelopesMax);
}

}  // namespace

Result<Document> read_document(std::string_view text) {
  if (text.size() > kDocumentBytesMax) return fail(Errc::limit_exceeded, "sbom.document", kDocumentBytesMax);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  TRY(Document out, read_any(text));
  name_system(out);
  remark_purls(out);
  return out;
}

std::string describe_refusal(const Error& error) {
  constexpr std::string_view kRead =
      "CycloneDX 1.2 to 1.7 as JSON, SPDX 2.2 and 2.3 as JSON or tag-value, SPDX 3.0 as JSON";
  std::string out;
  if (error.where.ends_with(".xml") || error.where.ends_with(".yaml")) {
    const auto dot = error.where.find('.');
    const auto form = error.where.substr(dot + 1);
    out = std::string(error.where.starts_with("spdx") ? "SPDX" : "CycloneDX") + " as " +
          (form == "xml" ? "XML" : "YAML") + " is not read; have its builder write JSON";
  } else if (error.where == "sbom.format") {
    out = "this is no document of software";
  } else if (error.code == Errc::unsupported) {
    out = "this version of the format is not read";
  } else {
    return describe(error);
  }
  return out.append(" (").append(describe(error)).append("). What is read: ").append(kRead).append(".");
}

}  // namespace picket::sbom
