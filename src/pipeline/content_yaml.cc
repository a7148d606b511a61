#include "content_yaml.h"

#include <algorithm>
#include <array>

namespace picket::pipeline::content {

void complain(std::string_view where, const YAML::Node& node, std::string text) {
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

std::vector<std::string> optional_texts(const YAML::Node& node, const char* name, std::string_view where) {
  return node.IsMap() && node[name] ? texts(node, name, where) : std::vector<std::string>();
}

std::string severity(const YAML::Node& node, const char* profile, std::string_view where) {
  static constexpr std::array<std::string_view, 4> kSeverities{"High", "Medium", "Low", "Informational"};
  const YAML::Node severities = member(node, "severity", where);
  std::string value = text(severities, profile, where);
  if (std::ranges::find(kSeverities, value) == kSeverities.end()) {
    complain(where, severities, "'" + value + "' is not one of High, Medium, Low, Informational");
  }
  return value;
}

YAML::Node list_of(const YAML::Node& root, const char* name, std::string_view where) {
  if (text(root, "format", where) != "1") complain(where, root["format"], "format 1 is expected");
  const YAML::Node list = member(root, name, where);
  if (!list.IsSequence()) complain(where, list, std::string("'") + name + "' must be a list");
  return list;
}

Result<> run(std::string_view file, const std::function<void()>& read, std::string* detail) {
  const auto refuse = [&](std::string_view where, const YAML::Mark& mark, const std::string& what) {
    const auto line = static_cast<std::uint64_t>(mark.line < 0 ? 0 : mark.line + 1);
    if (detail != nullptr) *detail = std::string(file) + " line " + std::to_string(line) + ": " + what;
    return fail(Errc::malformed, where, line);
  };
  try {
    read();
    return {};
  } catch (const Complaint& complaint) {
    return refuse(complaint.where, complaint.mark, complaint.text);
  } catch (const YAML::Exception& exception) {
    return refuse(file, exception.mark, exception.msg);
  }
}

}  // namespace picket::pipeline::content
