// SPDX 2.3: https://spdx.github.io/spdx-spec/v2.3/
#include <optional>
#include <utility>

#include "base/core/json_writer.h"
#include "document_parts.h"

namespace picket::sbom {
namespace {

/// Seconds, as SPDX wants them.
std::string time_text(Timestamp time) { return format_rfc3339(time).substr(0, 19) + "Z"; }

/// What SPDX has no place for, so that a document comes back as it went: an annotation with the members of a component.
constexpr std::string_view kOwn = "picket ";
constexpr std::pair<std::string_view, std::string Component::*> kOwnMembers[] = {
    {"type", &Component::type},
    {"name", &Component::name},
    {"version", &Component::version},
    {"vendor", &Component::vendor},
    {"architecture", &Component::architecture},
    {"sourceName", &Component::source_name},
    {"sourceVersion", &Component::source_version},
    {"evidence", &Component::evidence},
};

void write_own(JsonWriter& out, const Subject& subject, const Component& component) {
  JsonWriter own;
  own.begin_object();
  for (const auto& [name, member] : kOwnMembers) {
    if (!(component.*member).empty()) own.key(name).value(component.*member);
  }
  out.key("annotations").begin_array().begin_object().key("annotationType").value("OTHER");
  out.key("annotator").value("Tool: picket-" + subject.tool_version);
  out.key("annotationDate").value(time_text(subject.created));
  out.key("comment").value(std::string(kOwn) + own.end_object().take()).end_object().end_array();
}

std::optional<Component> read_own(const Json& annotations) {
  std::optional<Component> out;
  annotations.for_items([&out](const Json& annotation) {
    const auto comment = annotation.find("comment");
    const auto text = comment ? comment->text() : std::nullopt;
    if (!text || !text->starts_with(kOwn)) return;
    const auto own = parse_json(std::string_view(*text).substr(kOwn.size()));
    if (!own || own->kind() != Json::Kind::object) return;
    out.emplace();
    for (const auto& [name, field] : kOwnMembers) (*out).*field = member(*own, name);
  });
  return out;
}

/// An organization's name as the specification has it: on one line, nothing in parentheses but an address.
std::string organization(std::string_view vendor) {
  std::string out = "Organization: ";
  for (const char c : vendor) {
    out += static_cast<unsigned char>(c) < 0x20 || c == '(' || c == ')' ? ' ' : c;
  }
  return out;
}

void write(JsonWriter& out, const Subject& subject, const Component& component, std::size_t number) {
  out.begin_object().key("SPDXID").value("SPDXRef-Package-" + std::to_string(number));
  out.key("name").value(component.name);
  if (!component.version.empty()) out.key("versionInfo").value(component.version);
  out.key("supplier").value(component.vendor.empty() ? "NOASSERTION" : organization(component.vendor));
  out.key("downloadLocation").value("NOASSERTION").key("filesAnalyzed").value(false);
  out.key("licenseConcluded").value("NOASSERTION").key("licenseDeclared").value("NOASSERTION");
  out.key("copyrightText").value("NOASSERTION");
  if (!component.source_name.empty()) {
    out.key("sourceInfo")
        .value("built from " + component.source_name +
               (component.source_version.empty() ? "" : " " + component.source_version));
  }
  if (!component.evidence.empty()) out.key("comment").value("found in " + component.evidence);
  write_own(out, subject, component);
  out.key("externalRefs").begin_array();
  if (!component.purl.empty()) {
    out.begin_object().key("referenceCategory").value("PACKAGE-MANAGER").key("referenceType").value("purl");
    out.key("referenceLocator").value(component.purl).end_object();
  }
  out.end_array().end_object();
}

void relation(JsonWriter& out, std::string_view from, std::string_view kind, std::string_view to) {
  out.begin_object().key("spdxElementId").value(from).key("relationshipType").value(kind);
  out.key("relatedSpdxElement").value(to).end_object();
}

std::string without_role(std::string supplier) {
  for (const std::string_view role : {"Organization: ", "Person: "}) {
    if (supplier.starts_with(role)) return supplier.substr(role.size());
  }
  return supplier == "NOASSERTION" || supplier == "NONE" ? std::string() : supplier;
}

/// A package of a document, on its way.
struct Package {
  std::string id, name, version, supplier, source, purl, purpose;
  std::optional<Component> own;
};

void add(Package&& package, std::string_view described, Document& out) {
  if (!package.id.empty() && package.id == described) {
    out.name = package.name;
    out.version = package.version;
    return;  // what the document is about is not a part of it
  }
  if (package.name.empty() || out.components.size() >= kDocumentComponentsMax) {
    ++out.left_out;
    return;
  }
  if (package.purpose == "OPERATING-SYSTEM" || package.purpose == "OPERATING_SYSTEM") {
    out.system = system_of(package.name, package.version);
    if (package.purl.empty()) return;  // the distribution itself
  }
  if (package.own && !package.own->name.empty()) {
    package.own->purl = package.purl;
    out.components.push_back(finished(*std::move(package.own)));
    return;
  }
  Component component = component_from(package.purl, package.name, package.version);
  component.vendor = without_role(package.supplier);
  if (component.source_name.empty()) read_source(package.source, component);
  out.components.push_back(finished(std::move(component)));
}

}  // namespace

void read_source(std::string_view info, Component& out) {
  for (const std::string_view head : {"built from ", "built package from: "}) {
    if (!info.starts_with(head)) continue;
    info.remove_prefix(head.size());
    const auto space = info.find(' ');
    out.source_name = info.substr(0, space);
    if (space != std::string_view::npos) out.source_version = info.substr(space + 1);
    return;
  }
}

std::string to_spdx(const Subject& subject, std::span<const Component> components) {
  JsonWriter out;
  out.begin_object().key("spdxVersion").value("SPDX-2.3").key("dataLicense").value("CC0-1.0");
  out.key("SPDXID").value("SPDXRef-DOCUMENT").key("name").value(subject.name);
  out.key("documentNamespace").value("urn:uuid:" + subject.serial);
  out.key("creationInfo").begin_object().key("created").value(time_text(subject.created));
  out.key("creators").begin_array().value("Tool: picket-" + subject.tool_version).end_array().end_object();
  out.key("packages").begin_array();
  out.begin_object().key("SPDXID").value("SPDXRef-Subject").key("name").value(subject.name);
  if (!subject.version.empty()) out.key("versionInfo").value(subject.version);
  out.key("primaryPackagePurpose").value("DEVICE").key("downloadLocation").value("NOASSERTION");
  out.key("filesAnalyzed").value(false).key("licenseConcluded").value("NOASSERTION");
  out.key("licenseDeclared").value("NOASSERTION").key("copyrightText").value("NOASSERTION").end_object();
  for (std::size_t i = 0; i < components.size(); ++i) write(out, subject, components[i], i);
  out.end_array().key("relationships").begin_array();
  relation(out, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Subject");
  for (std::size_t i = 0; i < components.size(); ++i) {
    relation(out, "SPDXRef-Subject", "CONTAINS", "SPDXRef-Package-" + std::to_string(i));
  }
  return out.end_array().end_object().take();
}

Result<Document> read_spdx(const Json& root) {
  Document out{.format = member(root, "spdxVersion"), .name = member(root, "name")};
  if (out.format != "SPDX-2.2" && out.format != "SPDX-2.3") return fail(Errc::unsupported, "spdx.spdxVersion");
  std::string described;
  if (const auto relations = root.find("relationships")) {
    relations->for_items([&](const Json& one) {
      if (member(one, "relationshipType") == "DESCRIBES" && described.empty()) {
        described = member(one, "relatedSpdxElement");
      }
    });
  }
  const auto packages = root.find("packages");
  if (!packages) return out;
  if (packages->kind() != Json::Kind::array) return fail(Errc::malformed, "spdx.packages");
  Result<> named;
  packages->for_items([&](const Json& item) {
    if (named && !item.find("name")) {
      named =
          fail(Errc::malformed, "spdx.package.name", static_cast<std::uint64_t>(item.raw().data() - root.raw().data()));
    }
    Package package;
    item.for_members([&](std::string_view name, const Json& value) {
      if (name == "SPDXID") package.id = value.text().value_or("");
      if (name == "annotations") package.own = read_own(value);
      if (name == "externalRefs") {
        value.for_items([&](const Json& reference) {
          if (member(reference, "referenceType") == "purl")
            package.purl = member(reference, "referenceLocator", kPurlBytesMax);
        });
      }
    });
    package.name = member(item, "name");
    package.version = member(item, "versionInfo");
    package.supplier = member(item, "supplier");
    package.source = member(item, "sourceInfo");
    package.purpose = member(item, "primaryPackagePurpose");
    // A document may describe its only package; then that is the software.
    const bool about = package.purpose == "DEVICE" || package.purpose == "FIRMWARE" || package.purpose == "CONTAINER" ||
                       package.purpose == "OPERATING-SYSTEM";
    add(std::move(package), about ? described : std::string_view("\n"), out);
  });
  TRY_VOID(std::move(named));
  return out;
}

Result<Document> read_spdx_tags(std::string_view text) {
  Document out;
  std::optional<Package> open;
  const auto close = [&] {
    if (open) add(*std::move(open), "\n", out);
    open.reset();
  };
  for (std::size_t offset = 0; offset < text.size();) {
    const auto end = std::min(text.find('\n', offset), text.size());
    auto line = text.substr(offset, end - offset);
    offset = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto colon = line.find(':');
    if (line.empty() || line.front() == '#' || colon == std::string_view::npos) continue;
    const auto tag = line.substr(0, colon);
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    const std::string bounded(value.substr(0, kTextBytesMax));
    if (tag == "SPDXVersion") out.format = bounded;
    if (tag == "DocumentName") out.name = bounded;
    if (tag == "FileName" || tag == "SnippetSPDXID") close();
    if (tag == "PackageName") {
      close();
      open.emplace().name = bounded;
    }
    if (!open) continue;
    if (tag == "PackageVersion") open->version = bounded;
    if (tag == "PackageSupplier") open->supplier = bounded;
    if (tag == "PackageSourceInfo") open->source = bounded;
    if (tag == "PrimaryPackagePurpose") open->purpose = bounded;
    constexpr std::string_view reference = "PACKAGE-MANAGER purl ";
    if (tag == "ExternalRef" && (value.starts_with(reference) || value.starts_with("PACKAGE_MANAGER purl "))) {
      open->purl = value.substr(reference.size(), kPurlBytesMax);
    }
  }
  close();
  if (out.format != "SPDX-2.2" && out.format != "SPDX-2.3") return fail(Errc::unsupported, "spdx.spdxVersion");
  return out;
}

}  // namespace picket::sbom
