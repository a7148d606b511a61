#include "pipeline/catalogue.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/core/check.h"
#include "base/core/hash.h"
#include "builtin_content.h"
#include "content_yaml.h"
#include "pipeline/attack.h"

namespace picket::pipeline {
namespace {

using namespace content;

constexpr Duration kWindowMax = Duration::days(7);

/// Ids are compared without regard to case on input: their spelling differs between sources.
std::string folded(std::string_view type) {
  std::string out(type);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// "90s", "10m", "1h", "1d"
Duration duration(const YAML::Node& alert) {
  const std::string value = text(alert, "window", "alerts.window");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(value.data() + value.size() - end));
  if (error == std::errc{} && number > 0 && number <= 100'000) {
    const Duration out = unit == "s"   ? Duration::seconds(number)
                         : unit == "m" ? Duration::minutes(number)
                         : unit == "h" ? Duration::hours(number)
                         : unit == "d" ? Duration::days(number)
                                       : Duration{};
    if (out.us > 0 && out <= kWindowMax) return out;
  }
  complain("alerts.window", alert["window"], "'" + value + "' is not a time such as 10m, 1h or 7d");
}

bool is_technique(std::string_view id) {
  const auto digits = [](std::string_view s) {
    return std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
  };
  return (id.size() == 5 || (id.size() == 9 && id[5] == '.' && digits(id.substr(6)))) && id[0] == 'T' &&
         digits(id.substr(1, 4));
}

void add_unique(std::vector<std::string>& list, std::string value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(std::move(value));
}

AlertInfo read_alert(const YAML::Node& node) {
  AlertInfo out;
  out.type = text(node, "type", "alerts.type");
  out.name = text(node, "name", "alerts.name");
  out.severity_parity = severity(node, "parity", "alerts.severity");
  out.severity_default = severity(node, "default", "alerts.severity");
  out.description = text(node, "description", "alerts.description");
  out.tactics = texts(node, "tactics", "alerts.tactics");
  for (std::string& id : texts(node, "techniques", "alerts.techniques")) {
    if (!is_technique(id)) complain("alerts.techniques", node["techniques"], "'" + id + "' is not an ATT&CK technique");
    id = current_technique(id);
    add_unique(out.techniques, id.substr(0, 5));
    if (id.size() > 5) add_unique(out.sub_techniques, std::move(id));
  }
  out.remediation = texts(node, "remediation", "alerts.remediation");
  if (out.remediation.empty()) complain("alerts.remediation", node["remediation"], "at least one step is needed");
  out.window = duration(node);
  out.aliases = optional_texts(node, "aliases", "alerts.aliases");
  if (const YAML::Node group = node["group"]) {
    if (!group.IsScalar() || group.Scalar() != "user") complain("alerts.group", group, "only 'user' is known");
    out.by_user = true;
  }
  return out;
}

}  // namespace

void Catalogue::read(std::string_view yaml) {
  std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
  if (documents.empty()) documents.emplace_back();  // Refused below: a catalogue without alerts is none.
  for (const YAML::Node& root : documents) {
    for (const YAML::Node& node : list_of(root, "alerts", "alerts.list")) {
      AlertInfo info = read_alert(node);
      const std::string type = info.type;
      for (const std::string& alias : info.aliases) names_.emplace(folded(alias), type);
      names_.insert_or_assign(folded(type), type);
      if (!alerts_.emplace(type, std::move(info)).second) {
        complain("alerts.type", node, "'" + type + "' is there twice");
      }
    }
  }
  hash_ = fnv1a64(as_bytes(yaml));
}

Result<Catalogue> Catalogue::parse(std::string_view yaml, std::string* detail) {
  Catalogue out;
  TRY_VOID(content::run("alerts.yaml", [&] { out.read(yaml); }, detail));
  return out;
}

const Catalogue& Catalogue::builtin() {
  static const Catalogue catalogue = [] {
    auto parsed = parse(kAlertsYaml);
    CHECK(parsed.has_value(), "content/alerts/ of this build is valid (a test proves it)");
    return *std::move(parsed);
  }();
  return catalogue;
}

const AlertInfo* Catalogue::find(std::string_view type) const {
  const auto found = alerts_.find(type);
  return found == alerts_.end() ? nullptr : &found->second;
}

const AlertInfo* Catalogue::find_any(std::string_view type) const {
  const auto found = names_.find(folded(type));
  return found == names_.end() ? nullptr : find(found->second);
}

}  // namespace picket::pipeline
