// text: lines that stand, or do not stand, in files. setting: the value of a key in files of "key value", "key=value"
// or "[section]".
#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

constexpr std::string_view kQuotes = "\"'";

std::string_view without_quotes(std::string_view text) {
  if (text.size() >= 2 && text.front() == text.back() && kQuotes.contains(text.front())) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

/// The last value, or the first where `order` says so, over all files.
class SettingReader {
 public:
  explicit SettingReader(const Parameters& parameters)
      : key_(parameters.text("key")),
        section_(parameters.text("section")),
        in_sections_(parameters.has("section")),
        first_(parameters.text("order") == "first") {}

  void read(std::string_view text) {
    bool inside = !in_sections_;
    for_each_line(text, "#;", [&](std::string_view line) {
      if (in_sections_ && line.starts_with('[')) {
        inside = equal_ignoring_case(line, join({"[", section_, "]"}));
      } else if (inside) {
        take(line);
      }
      return true;
    });
  }
  [[nodiscard]] const std::optional<std::string>& value() const { return value_; }

 private:
  void take(std::string_view line) {
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const std::string_view key = line.substr(0, line.find_first_of(" \t="));
    if (!equal_ignoring_case(key, key_) || (first_ && value_)) return;
    line = trim(line.substr(key.size()));
    if (line.starts_with('=')) line = trim(line.substr(1));
    if (!line.starts_with('"') && !line.starts_with('\'')) line = trim(line.substr(0, line.find(" #")));
    value_ = without_quotes(line);
  }

  std::string_view key_, section_;
  bool in_sections_, first_;
  std::optional<std::string> value_;
};

}  // namespace

State check_text(Check& check) {
  const auto pattern = check.parameters.pattern("pattern");
  const std::string_view want = check.parameters.text("want", "some");
  const std::string_view comments = check.parameters.text("comments", "#");
  if (!pattern) return State::error;
  bool any_file = false, any_line = false, in_each = true;
  for (const std::string_view name : check.parameters.list("files")) {
    for (const std::string& path : check.facts.root().glob(name)) {
      const Text text = check.facts.text(path);
      if (const auto problem = unreadable(check, path, text)) return *problem;
      if (text.found == Found::missing) continue;
      any_file = true;
      bool here = false;
      for_each_line(text.text, comments, [&](std::string_view line) {
        here = pattern->found_in(line);
        if (here && (!any_line || want == "none")) observe(check.observed, path, ": ", line.substr(0, 120));
        return !here;
      });
      any_line = any_line || here;
      in_each = in_each && here;
      if (!here && want == "each") observe(check.observed, path, " has no such line");
    }
  }
  if (!any_file) {
    observe(check.observed, check.parameters.text("files"), " is not there");
    return when_missing(check, pass_if(want == "none"));
  }
  if (want == "none") {
    if (!any_line) observe(check.observed, "no such line");
    return pass_if(!any_line);
  }
  if (!any_line) observe(check.observed, "no such line in ", check.parameters.text("files"));
  return pass_if(want == "each" ? in_each : any_line);
}

State check_setting(Check& check) {
  SettingReader reader(check.parameters);
  bool any_file = false;
  for (const std::string_view name : check.parameters.list("files")) {
    for (const std::string& path : check.facts.root().glob(name)) {
      const Text text = check.facts.text(path);
      if (const auto problem = unreadable(check, path, text)) return *problem;
      any_file = any_file || text.found == Found::yes;
      reader.read(text.text);
    }
  }
  if (!any_file && !check.parameters.has("default")) {
    observe(check.observed, check.parameters.text("files"), " is not there");
    return when_missing(check, State::fail);
  }
  return judge(check, check.parameters.text("key"), reader.value());
}

}  // namespace picket::agent::baseline
