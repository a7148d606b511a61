// CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/
#include "base/core/json_writer.h"
#include "document_parts.h"

namespace picket::sbom {
namespace {

void property(JsonWriter& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.begin_object().key("name").value(name).key("value").value(value).end_object();
}

void write(JsonWriter& out, const Component& component, std::size_t number) {
  const bool system = component.type == "binary" && component.name == "linux";
  out.begin_object().key("type").value(system ? "operating-system" : "library");
  out.key("bom-ref").value("component-" + std::to_string(number));
  if (!component.vendor.empty()) {
    out.key("supplier").begin_object().key("name").value(component.vendor).end_object();
  }
  out.key("name").value(component.name).key("version").value(component.version);
  if (!component.purl.empty()) out.key("purl").value(component.purl);
  if (!component.evidence.empty()) {
    out.key("evidence").begin_object().key("occurrences").begin_array().begin_object();
    out.key("location").value(component.evidence).end_object().end_array().end_object();
  }
  out.key("properties").begin_array();
  property(out, "picket:type", component.type);
  property(out, "picket:architecture", component.architecture);
  property(out, "picket:sourceName", component.source_name);
  property(out, "picket:sourceVersion", component.source_version);
  out.end_array().end_object();
}

/// Of a document that we wrote: as it was, whatever the package URL makes of it.
bool read_own(const Json& item, Component& out) {
  const auto properties = item.find("properties");
  if (!properties) return false;
  Component own{
      .name = member(item, "name"), .version = member(item, "version"), .purl = member(item, "purl", kPurlBytesMax)};
  properties->for_items([&](const Json& one) {
    const auto name = member(one, "name"), value = member(one, "value");
    if (name == "picket:type") own.type = value;
    if (name == "picket:architecture") own.architecture = value;
    if (name == "picket:sourceName") own.source_name = value;
    if (name == "picket:sourceVersion") own.source_version = value;
  });
  if (own.type.empty()) return false;
  if (const auto evidence = item.find("evidence")) {
    if (const auto places = evidence->find("occurrences")) {
      places->for_items([&own](const Json& place) { own.evidence = member(place, "location"); });
    }
  }
  out = std::move(own);
  return true;
}

/// The source package as syft and trivy say it; trivy's version is in three parts.
void read_properties(const Json& properties, Component& out) {
  std::string name, version, release, epoch;
  properties.for_items([&](const Json& one) {
    const auto key = member(one, "name"), value = member(one, "value");
    if (key == "syft:metadata:source" || key == "aquasecurity:trivy:SrcName") name = value;
    if (key == "syft:metadata:sourceVersion" || key == "aquasecurity:trivy:SrcVersion") version = value;
    if (key == "aquasecurity:trivy:SrcRelease") release = value;
    if (key == "aquasecurity:trivy:SrcEpoch") epoch = value;
  });
  if (out.source_name.empty()) out.source_name = name;
  if (version.empty() || !out.source_version.empty()) return;
  if (!epoch.empty() && epoch != "0") out.source_version = epoch + ":";
  out.source_version += version;
  if (!release.empty()) out.source_version += "-" + release;
}

void read_components(const Json& list, Document& out, std::size_t depth) {
  list.for_items([&](const Json& item) {
    const auto kind = member(item, "type"), name = member(item, "name");
    const bool excluded = member(item, "scope") == "excluded";  // of tests, say: not in the product
    if (excluded || name.empty() || out.components.size() >= kDocumentComponentsMax) {
      ++out.left_out;
      return;
    }
    if (kind == "operating-system") out.system = system_of(name, member(item, "version"));
    // Files are not software of their own; a container holds some.
    if (kind != "file" && kind != "data") {
      Component component = component_from(member(item, "purl", kPurlBytesMax), name, member(item, "version"));
      if (!read_own(item, component)) {
        if (const auto group = member(item, "group"); !group.empty() && component.purl.empty())
          component.name = group + "/" + name;
        if (const auto properties = item.find("properties")) read_properties(*properties, component);
      }
      if (const auto supplier = item.find("supplier")) component.vendor = member(*supplier, "name");
      if (component.vendor.empty()) component.vendor = member(item, "publisher");
      // Not the distribution itself.
      if (kind != "operating-system" || !component.purl.empty())
        out.components.push_back(finished(std::move(component)));
    }
    if (const auto nested = item.find("components"); nested && depth > 0) read_components(*nested, out, depth - 1);
  });
}

}  // namespace

std::string to_cyclonedx(const Subject& subject, std::span<const Component> components,
                         std::string_view vulnerabilities) {
  JsonWriter out;
  out.begin_object().key("$schema").value("http://cyclonedx.org/schema/bom-1.6.schema.json");
  out.key("bomFormat").value("CycloneDX").key("specVersion").value("1.6");
  out.key("serialNumber").value("urn:uuid:" + subject.serial).key("version").value(1);
  out.key("metadata").begin_object().key("timestamp").value(subject.created);
  out.key("tools").begin_object().key("components").begin_array().begin_object().key("type").value("application");
  out.key("name").value("picket").key("version").value(subject.tool_version).end_object().end_array().end_object();
  out.key("component").begin_object().key("type").value("device").key("bom-ref").value("subject");
  out.key("name").value(subject.name);
  if (!subject.version.empty()) out.key("version").value(subject.version);
  out.end_object().end_object();
  out.key("components").begin_array();
  std::size_t number = 0;
  for (const Component& component : components) write(out, component, number++);
  out.end_array();
  if (!vulnerabilities.empty()) out.key("vulnerabilities").raw(vulnerabilities);
  return out.end_object().take();
}

Result<Document> read_cyclonedx(const Json& root) {
  const auto version = member(root, "specVersion");
  if (member(root, "bomFormat") != "CycloneDX") return fail(Errc::malformed, "cyclonedx.bomFormat");
  if (version.size() != 3 || version < "1.2" || version > "1.7")
    return fail(Errc::unsupported, "cyclonedx.specVersion");
  Document out{.format = "CycloneDX " + version};
  TRY_VOID(check_cyclonedx(root, out.remarks));
  if (const auto metadata = root.find("metadata")) {
    if (const auto about = metadata->find("component")) {
      out.name = member(*about, "name");
      out.version = member(*about, "version");
      if (member(*about, "type") == "operating-system") out.system = system_of(out.name, out.version);
    }
  }
  if (const auto list = root.find("components")) read_components(*list, out, kNestedMax);
  return out;
}

}  // namespace picket::sbom
