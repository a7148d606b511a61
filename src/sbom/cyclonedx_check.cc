// What a CycloneDX document must be, as far as software is taken from it, and what else of it is wrong:
// https://cyclonedx.org/docs/1.6/json/
#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "document_parts.h"

namespace picket::sbom {
namespace {

using Words = std::span<const std::string_view>;

constexpr auto kTypes = std::to_array<std::string_view>(
    {"application", "container", "cryptographic-asset", "data", "device", "device-driver", "file", "firmware",
     "framework", "library", "machine-learning-model", "operating-system", "platform"});
constexpr auto kScopes = std::to_array<std::string_view>({"excluded", "optional", "required"});
constexpr auto kPatches = std::to_array<std::string_view>({"backport", "cherry-pick", "monkey", "unofficial"});
constexpr auto kIssues = std::to_array<std::string_view>({"defect", "enhancement", "security"});
constexpr auto kFlows = std::to_array<std::string_view>({"bi-directional", "inbound", "outbound", "unknown"});

struct HashKind {
  std::string_view name;
  std::size_t digits;
};
constexpr auto kHashes = std::to_array<HashKind>({{"MD5", 32},
                                                  {"SHA-1", 40},
                                                  {"SHA-256", 64},
                                                  {"SHA-384", 96},
                                                  {"SHA-512", 128},
                                                  {"SHA3-256", 64},
                                                  {"SHA3-384", 96},
                                                  {"SHA3-512", 128},
                                                  {"BLAKE2b-256", 64},
                                                  {"BLAKE2b-384", 96},
                                                  {"BLAKE2b-512", 128},
                                                  {"BLAKE3", 64},
                                                  {"Streebog-256", 64},
                                                  {"Streebog-512", 128}});

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

/// "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"
bool is_serial(std::string_view text) {
  if (!text.starts_with("urn:uuid:") || text.size() != 45) return false;
  text.remove_prefix(9);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text.substr(i, 1))) return false;
  }
  return true;
}

/// Walks a document. What concerns the software is a failure, the rest a remark.
class Check {
 public:
  Check(std::string_view text, std::vector<Remark>& remarks) : text_(text), remarks_(remarks) {}

  Result<> document(const Json& root);

 private:
  [[nodiscard]] std::uint64_t place(const Json& at) const {
    return static_cast<std::uint64_t>(at.raw().data() - text_.data());
  }
  void remark(std::string_view where, const Json& at) {
    if (remarks_.size() < kRemarksMax) remarks_.push_back({where, place(at)});
  }
  void failure(std::string_view where, const Json& at) {
    if (result_) result_ = fail(Errc::malformed, where, place(at));
  }
  /// A member that is one of some words, where it is there.
  void word(const Json& object, std::string_view name, Words words, std::string_view where, bool fatal = false) {
    const auto value = object.find(name);
    if (!value || std::ranges::find(words, value->text().value_or("")) != words.end()) return;
    fatal ? failure(where, *value) : remark(where, *value);
  }
  /// A text where it is there.
  void text(const Json& object, std::string_view name, std::string_view where) {
    const auto value = object.find(name);
    if (value && value->kind() != Json::Kind::text) failure(where, *value);
  }
  template <class Each>
  void items(const Json& object, std::string_view name, Each each) {
    if (const auto list = object.find(name)) list->for_items(each);
  }

  void components(const Json& list, std::size_t depth);
  void component(const Json& item, std::size_t depth);
  void licenses(const Json& object);
  void properties(const Json& object);
  void pedigree(const Json& item);

  std::string_view text_;
  std::vector<Remark>& remarks_;
  bool named_properties_ = false;     ///< Since 1.3 a property has a name.
  std::set<std::string> references_;  ///< Each names one component.
  Result<> result_;
};

void Check::licenses(const Json& object) {
  items(object, "licenses", [&](const Json& choice) {
    const auto license = choice.find("license");
    if (license.has_value() == choice.find("expression").has_value()) return remark("cyclonedx.licenses", choice);
    if (!license) return;
    if (license->find("id").has_value() == license->find("name").has_value()) remark("cyclonedx.license", *license);
    const auto content = license->find("text");
    const auto encoding = content ? content->find("encoding") : std::nullopt;
    if (encoding && encoding->text() != "base64") remark("cyclonedx.license.encoding", *encoding);
    properties(*license);
  });
}

void Check::properties(const Json& object) {
  items(object, "properties", [&](const Json& property) {
    bool good = property.find("name").has_value() || !named_properties_;
    property.for_members([&](std::string_view name, const Json& value) {
      good = good && (name == "name" || name == "value") && value.kind() == Json::Kind::text;
    });
    if (!good) remark("cyclonedx.properties", property);
  });
}

void Check::pedigree(const Json& item) {
  const auto pedigree = item.find("pedigree");
  if (!pedigree) return;
  items(*pedigree, "patches", [&](const Json& patch) {
    if (!patch.find("type")) remark("cyclonedx.patch.type", patch);
    word(patch, "type", kPatches, "cyclonedx.patch.type");
    items(patch, "resolves", [&](const Json& issue) { word(issue, "type", kIssues, "cyclonedx.issue.type"); });
  });
}

void Check::component(const Json& item, std::size_t depth) {
  if (item.kind() != Json::Kind::object) return failure("cyclonedx.component", item);
  const auto name = item.find("name");
  if (!name || name->kind() != Json::Kind::text) return failure("cyclonedx.component.name", item);
  if (!item.find("type")) return failure("cyclonedx.component.type", item);
  word(item, "type", kTypes, "cyclonedx.component.type", true);
  word(item, "scope", kScopes, "cyclonedx.component.scope", true);
  text(item, "version", "cyclonedx.component.version");
  text(item, "purl", "cyclonedx.component.purl");
  text(item, "group", "cyclonedx.component.group");
  const auto reference = item.find("bom-ref");
  if (reference && (reference->text().value_or("").empty() || !references_.insert(*reference->text()).second))
    remark("cyclonedx.component.bom-ref", *reference);
  if (const auto swid = item.find("swid"); swid && !(swid->find("tagId") && swid->find("name")))
    remark("cyclonedx.component.swid", *swid);
  items(item, "hashes", [&](const Json& hash) {
    const auto* const kind = std::ranges::find(kHashes, member(hash, "alg"), &HashKind::name);
    const auto content = member(hash, "content");
    if (kind == kHashes.end() || content.size() != kind->digits || !is_hex(content)) remark("cyclonedx.hash", hash);
  });
  licenses(item);
  properties(item);
  pedigree(item);
  if (const auto nested = item.find("components"); nested && depth > 0) components(*nested, depth - 1);
}

void Check::components(const Json& list, std::size_t depth) {
  if (list.kind() != Json::Kind::array) return failure("cyclonedx.components", list);
  list.for_items([&](const Json& item) { component(item, depth); });
}

Result<> Check::document(const Json& root) {
  named_properties_ = member(root, "specVersion") >= "1.5";
  const auto serial = root.find("serialNumber");
  if (serial && !is_serial(serial->text().value_or(""))) remark("cyclonedx.serialNumber", *serial);
  if (const auto metadata = root.find("metadata")) {
    const auto time = metadata->find("timestamp");
    if (time && !parse_rfc3339(time->text().value_or(""))) remark("cyclonedx.metadata.timestamp", *time);
    licenses(*metadata);
    properties(*metadata);
  }
  if (const auto list = root.find("components")) components(*list, kNestedMax);
  items(root, "dependencies", [&](const Json& one) {
    if (member(one, "ref").empty()) remark("cyclonedx.dependency.ref", one);
  });
  items(root, "services", [&](const Json& service) {
    properties(service);
    items(service, "data", [&](const Json& one) { word(one, "flow", kFlows, "cyclonedx.service.data.flow"); });
  });
  return result_;
}

}  // namespace

Result<> check_cyclonedx(const Json& root, std::vector<Remark>& remarks) {
  return Check(root.raw(), remarks).document(root);
}

}  // namespace picket::sbom
