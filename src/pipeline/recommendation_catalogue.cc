#include "base/core/check.h"
#include "builtin_content.h"
#include "content_yaml.h"
#include "pipeline/catalogue.h"

namespace picket::pipeline {
namespace {

using namespace content;

RecommendationInfo read_one(const YAML::Node& node) {
  RecommendationInfo out;
  out.type = text(node, "type", "recommendations.type");
  out.name = text(node, "name", "recommendations.name");
  out.severity_parity = severity(node, "parity", "recommendations.severity");
  out.severity_default = severity(node, "default", "recommendations.severity");
  out.description = text(node, "description", "recommendations.description");
  out.remediation = texts(node, "remediation", "recommendations.remediation");
  if (out.remediation.empty()) complain("recommendations.remediation", node, "at least one step is needed");
  out.control = text(node, "control", "recommendations.control");
  out.data_source = text(node, "source", "recommendations.source");
  out.aliases = optional_texts(node, "aliases", "recommendations.aliases");
  out.published = node["published"] && node["published"].as<bool>();
  return out;
}

}  // namespace

void RecommendationCatalogue::read(std::string_view yaml) {
  const YAML::Node root = YAML::Load(std::string(yaml));
  for (const YAML::Node& node : list_of(root, "recommendations", "recommendations.list")) {
    RecommendationInfo info = read_one(node);
    const std::string type = info.type;
    if (!types_.emplace(type, std::move(info)).second) {
      complain("recommendations.type", node, "'" + type + "' is there twice");
    }
  }
}

Result<RecommendationCatalogue> RecommendationCatalogue::parse(std::string_view yaml, std::string* detail) {
  RecommendationCatalogue out;
  TRY_VOID(content::run("recommendations.yaml", [&] { out.read(yaml); }, detail));
  return out;
}

const RecommendationCatalogue& RecommendationCatalogue::builtin() {
  static const RecommendationCatalogue catalogue = [] {
    auto parsed = parse(kRecommendationsYaml);
    CHECK(parsed.has_value(), "content/recommendations.yaml of this build is valid (a test proves it)");
    return *std::move(parsed);
  }();
  return catalogue;
}

const RecommendationInfo* RecommendationCatalogue::find(std::string_view type) const {
  const auto found = types_.find(type);
  return found == types_.end() ? nullptr : &found->second;
}

}  // namespace picket::pipeline
