#include "pipeline/catalogue.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <yaml-cpp/yaml.h>

#include "base/core/check.h"
#include "base/core/hash.h"
#include "builtin_content.h"

namespace picket::pipeline {
namespace {

constexpr std::array<std::string_view, 4> kSeverities{"High", "Medium", "Low", "Informational"};
constexpr Duration kWindowMax = Duration::days(7);

/// Thrown inside this file only; parse() turns it into a Result.
struct Complaint {
  std::string_view where;
  YAML::Mark mark;
  std::string text;
};

[[noreturn]] void complain(std::string_view where, const YAML::Node& node, std::string text) {
  throw Complaint{where, node.Mark(), std::move(text)};
}

YAML::Node member(const YAML::Node& node, const char* name, std::string_view where) {
  if (!node.IsMap()) complain(where, node, "a map is expected here");
  const YAML::Node found = node[name];
  if (!found) complain(where, node, std::string("'") + name + "' is missing");
  return found;
}

std::string text(const YAML::Node& node, const char* name, std::string_view where) {
  const YAML::Node found = member(node, name, where);
  if (!found.IsScalar() || found.Scalar().empty()) complain(where, found, std::string("'") + name + "' must be a text");
  return found.Scalar();
}

std::vector<std::string> texts(const YAML::Node& node, const char* name, std::string_view where) {
  const YAML::Node found = member(node, name, where);
  if (!found.IsSequence()) complain(where, found, std::string("'") + name + "' must be a list");
  std::vector<std::string> out;
  for (const YAML::Node& entry : found) {
    if (!entry.IsScalar()) complain(where, entry, std::string("'") + name + "' must hold texts only");
    out.push_back(entry.Scalar());
  }
  return out;
}

std::string severity(const YAML::Node& alert, const char* profile) {
  const YAML::Node severities = member(alert, "severity", "alerts.severity");
  std::string value = text(severities, profile, "alerts.severity");
  if (std::ranges::find(kSeverities, value) == kSeverities.end()) {
    complain("alerts.severity", severities, "'" + value + "' is not one of High, Medium, Low, Informational");
  }
  return value;
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
  out.severity_parity = severity(node, "parity");
  out.severity_default = severity(node, "default");
  out.description = text(node, "description", "alerts.description");
  out.tactics = texts(node, "tactics", "alerts.tactics");
  for (std::string& id : texts(node, "techniques", "alerts.techniques")) {
    if (!is_technique(id)) complain("alerts.techniques", node["techniques"], "'" + id + "' is not an ATT&CK technique");
    add_unique(out.techniques, id.substr(0, 5));
    if (id.size() > 5) add_unique(out.sub_techniques, std::move(id));
  }
  out.remediation = texts(node, "remediation", "alerts.remediation");
  if (out.remediation.empty()) complain("alerts.remediation", node["remediation"], "at least one step is needed");
  out.window = duration(node);
  return out;
}

std::map<std::string, AlertInfo, std::less<>> read_all(std::string_view yaml) {
  const YAML::Node root = YAML::Load(std::string(yaml));
  if (text(root, "format", "alerts.format") != "1") complain("alerts.format", root["format"], "format 1 is expected");
  const YAML::Node list = member(root, "alerts", "alerts.list");
  if (!list.IsSequence()) complain("alerts.list", list, "'alerts' must be a list");
  std::map<std::string, AlertInfo, std::less<>> out;
  for (const YAML::Node& node : list) {
    AlertInfo info = read_alert(node);
    const std::string type = info.type;
    if (!out.emplace(type, std::move(info)).second) complain("alerts.type", node, "'" + type + "' is there twice");
  }
  return out;
}

}  // namespace

Result<Catalogue> Catalogue::parse(std::string_view yaml, std::string* detail) {
  const auto refuse = [&](std::string_view where, const YAML::Mark& mark, const std::string& what) {
    const auto line = static_cast<std::uint64_t>(mark.line < 0 ? 0 : mark.line + 1);
    if (detail != nullptr) *detail = "alerts.yaml line " + std::to_string(line) + ": " + what;
    return fail(Errc::malformed, where, line);
  };
  try {
    Catalogue out;
    out.alerts_ = read_all(yaml);
    out.hash_ = fnv1a64(as_bytes(yaml));
    return out;
  } catch (const Complaint& complaint) {
    return refuse(complaint.where, complaint.mark, complaint.text);
  } catch (const YAML::Exception& exception) {
    return refuse("alerts.yaml", exception.mark, exception.msg);
  }
}

const Catalogue& Catalogue::builtin() {
  static const Catalogue catalogue = [] {
    auto parsed = parse(kAlertsYaml);
    CHECK(parsed.has_value(), "content/alerts.yaml of this build is valid (a test proves it)");
    return *std::move(parsed);
  }();
  return catalogue;
}

const AlertInfo* Catalogue::find(std::string_view type) const {
  const auto found = alerts_.find(type);
  return found == alerts_.end() ? nullptr : &found->second;
}

}  // namespace picket::pipeline
