// SPDX 3.0 as JSON-LD: https://spdx.github.io/spdx-spec/v3.0.1/. Yocto writes it since release 5.1.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "document_parts.h"

namespace picket::sbom {
namespace {

/// Purposes of packages that are no software of a device: what it was built from, papers, data.
constexpr auto kNotThere =
    std::to_array<std::string_view>({"source", "patch", "documentation", "data", "evidence", "requirement",
                                     "specification", "test", "file", "operatingSystem"});
/// Purposes of what a document may be about.
constexpr auto kSubjects =
    std::to_array<std::string_view>({"archive", "bom", "container", "device", "diskImage", "filesystemImage",
                                     "firmware", "manifest", "operatingSystem"});

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string id_of(const Json& element) {
  auto id = member(element, "spdxId", kPurlBytesMax);
  return id.empty() ? member(element, "@id", kPurlBytesMax) : id;
}

std::string purl_of(const Json& package) {
  std::string out = member(package, "software_packageUrl", kPurlBytesMax);
  if (const auto others = package.find("externalIdentifier"); out.empty() && others) {
    others->for_items([&out](const Json& one) {
      const auto kind = member(one, "externalIdentifierType");
      if (kind == "packageUrl" || kind == "purl") out = member(one, "identifier", kPurlBytesMax);
    });
  }
  return out;
}

struct Graph {
  std::string version;                       ///< Of the specification.
  std::set<std::string> roots;               ///< What documents and bills are about.
  std::map<std::string, std::string> names;  ///< Of agents, by id.
};

Graph outline(const Json& elements) {
  Graph out;
  elements.for_items([&](const Json& element) {
    const auto type = member(element, "type");
    if (type == "CreationInfo" && out.version.empty()) out.version = member(element, "specVersion");
    if (type == "Organization" || type == "Person") out.names[id_of(element)] = member(element, "name");
    if (type == "SpdxDocument" || type == "software_Sbom") {
      if (const auto roots = element.find("rootElement")) {
        roots->for_items([&out](const Json& root) { out.roots.insert(root.text().value_or("")); });
      }
    }
  });
  return out;
}

void read_package(const Json& element, const Graph& graph, Document& out) {
  const auto purpose = member(element, "software_primaryPurpose"), name = member(element, "name");
  const auto version = member(element, "software_packageVersion");
  const bool root = graph.roots.contains(id_of(element));
  if (purpose == "operatingSystem") out.system = system_of(name, version);
  if (root && is_one_of(kSubjects, purpose)) {
    out.name = name;
    out.version = version;
    return;
  }
  if (purpose == "operatingSystem" || (!root && is_one_of(kNotThere, purpose))) return;
  if (name.empty() || out.components.size() >= kDocumentComponentsMax) {
    ++out.left_out;
    return;
  }
  Component component = component_from(purl_of(element), name, version);
  const auto supplier = graph.names.find(member(element, "suppliedBy", kPurlBytesMax));
  if (supplier != graph.names.end()) component.vendor = supplier->second;
  if (component.source_name.empty()) read_source(member(element, "software_sourceInfo"), component);
  out.components.push_back(finished(std::move(component)));
}

}  // namespace

Result<Document> read_spdx3(const Json& root) {
  const auto elements = root.find("@graph");
  if (!elements || elements->kind() != Json::Kind::array) return fail(Errc::malformed, "spdx.@graph");
  const Graph graph = outline(*elements);
  if (!graph.version.starts_with("3.0")) return fail(Errc::unsupported, "spdx.specVersion");
  Document out{.format = "SPDX-" + graph.version};
  std::string title;
  elements->for_items([&](const Json& element) {
    const auto type = member(element, "type");
    if (type == "SpdxDocument") title = member(element, "name");
    if (type == "software_Package" || type == "ai_AIPackage") read_package(element, graph, out);
  });
  if (out.name.empty()) out.name = title;
  return out;
}

}  // namespace picket::sbom
