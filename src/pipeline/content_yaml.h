// Words for reading the YAML files of content/: what is wrong is said with its line.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/core/result.h"

namespace picket::pipeline::content {

/// Thrown by the readers below; run() turns it into a Result. `where` is static.
struct Complaint {
  std::string_view where;
  YAML::Mark mark;
  std::string text;
};

[[noreturn]] void complain(std::string_view where, const YAML::Node& node, std::string text);
YAML::Node member(const YAML::Node& node, const char* name, std::string_view where);
std::string text(const YAML::Node& node, const char* name, std::string_view where);
std::vector<std::string> texts(const YAML::Node& node, const char* name, std::string_view where);
/// Absent: empty.
std::vector<std::string> optional_texts(const YAML::Node& node, const char* name, std::string_view where);
/// severity: {parity: …, default: …}
std::string severity(const YAML::Node& node, const char* profile, std::string_view where);
/// Checks `format` and gives the list called `name`.
YAML::Node list_of(const YAML::Node& root, const char* name, std::string_view where);

/// Runs `read`; errors: malformed with where and line, a sentence in `detail`.
Result<> run(std::string_view file, const std::function<void()>& read, std::string* detail);

}  // namespace picket::pipeline::content
