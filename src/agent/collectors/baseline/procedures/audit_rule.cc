// audit_rule: that the files of the audit daemon watch paths, or system calls.
#include <algorithm>
#include <array>

#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

/// One line of audit.rules(7), as views into it.
struct AuditLine {
  std::string_view watch, permissions, architecture, list;
  std::vector<std::string_view> calls, fields;
};

bool is_unset(std::string_view value) { return value == "unset" || value == "-1" || value == "4294967295"; }

/// "auid!=-1" is "auid!=unset".
bool equal_fields(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto at = a.find('='), bt = b.find('=');
  return at != std::string_view::npos && bt != std::string_view::npos && a.substr(0, at) == b.substr(0, bt) &&
         is_unset(a.substr(at + 1)) && is_unset(b.substr(bt + 1));
}

std::string_view without_slash(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

AuditLine parse(std::string_view line) {
  AuditLine out;
  while (!line.empty()) {
    const std::string_view option = take_word(line);
    if (option != "-w" && option != "-p" && option != "-a" && option != "-A" && option != "-S" && option != "-F" &&
        option != "-C") {
      continue;
    }
    std::string_view value = take_word(line);
    if (option == "-w") out.watch = without_slash(value);
    if (option == "-p") out.permissions = value;
    if (option == "-a" || option == "-A") out.list = value;
    while (option == "-S" && !value.empty()) out.calls.push_back(take_word(value, ","));
    if (option == "-C") out.fields.push_back(value);
    if (option != "-F") continue;
    const std::string_view name = value.substr(0, value.find('=')),
                           rest = value.substr(std::min(name.size() + 1, value.size()));
    if (name == "arch") {
      out.architecture = rest;
    } else if (name == "path" || name == "dir") {
      out.watch = without_slash(rest);
      out.fields.push_back(value);
    } else if (name == "perm") {
      out.permissions = rest;
      out.fields.push_back(value);
    } else {
      out.fields.push_back(value);
    }
  }
  return out;
}

bool is_always(std::string_view list) { return list == "always,exit" || list == "exit,always"; }

/// System calls that newer architectures never had.
bool is_old_call(std::string_view name) {
  constexpr std::array<std::string_view, 9> kOld{"chmod",  "chown",  "lchown", "creat", "open",
                                                 "unlink", "rename", "rmdir",  "mkdir"};
  return std::ranges::find(kOld, name) != kOld.end();
}

class AuditRules {
 public:
  explicit AuditRules(Check& check) {
    for (const char* const pattern : {"/etc/audit/rules.d/*.rules", "/etc/audit/audit.rules"}) {
      for (const std::string& path : check.facts.root().glob(pattern)) {
        const Text text = check.facts.text(path);
        problem_ = problem_ ? problem_ : unreadable(check, path, text);
        any_ = any_ || text.found == Found::yes;
        for_each_line(text.text, "#", [this](std::string_view line) {
          if (lines_.size() < kLinesMax) lines_.push_back(parse(line));
          return true;
        });
      }
    }
  }
  [[nodiscard]] std::optional<State> problem() const { return problem_; }
  [[nodiscard]] bool any() const { return any_; }

  [[nodiscard]] bool watches(std::string_view path, std::string_view permissions) const {
    return std::ranges::any_of(lines_, [&](const AuditLine& line) {
      return line.watch == without_slash(path) && (line.list.empty() || is_always(line.list)) &&
             std::ranges::all_of(permissions, [&](char c) { return line.permissions.contains(c); });
    });
  }
  [[nodiscard]] bool follows(std::string_view call, std::string_view architecture,
                             std::span<const std::string_view> fields) const {
    return std::ranges::any_of(lines_, [&](const AuditLine& line) {
      if (!is_always(line.list) || line.architecture != architecture) return false;
      if (std::ranges::find(line.calls, call) == line.calls.end()) return false;
      return std::ranges::all_of(fields, [&](std::string_view wanted) {
        return std::ranges::any_of(line.fields, [&](std::string_view each) { return equal_fields(each, wanted); });
      });
    });
  }

 private:
  static constexpr std::size_t kLinesMax = 4096;
  std::vector<AuditLine> lines_;
  std::optional<State> problem_;
  bool any_ = false;
};

}  // namespace

State check_audit_rule(Check& check) {
  const AuditRules rules(check);
  if (rules.problem()) return *rules.problem();
  if (!rules.any()) {
    observe(check.observed, "no rules of audit");
    return State::fail;
  }
  bool all = true;
  for (const std::string_view path : check.parameters.list("paths")) {
    if (rules.watches(path, check.parameters.text("permissions", "wa"))) continue;
    observe(check.observed, path, " is not watched");
    all = false;
  }
  const Machine machine = check.facts.machine();
  for (const std::string_view architecture : {"b64", "b32"}) {
    if (architecture == "b64" && machine == Machine::bits32) continue;
    if (architecture == "b32" && machine == Machine::bits64) continue;  // those run no older programs as a rule
    for (const std::string_view call : check.parameters.list("calls")) {
      if (machine == Machine::bits64 && is_old_call(call)) continue;
      if (rules.follows(call, architecture, check.parameters.list("fields"))) continue;
      observe(check.observed, call, " is not followed for ", architecture);
      all = false;
    }
  }
  if (all) observe(check.observed, "the rules are there");
  return pass_if(all);
}

}  // namespace picket::agent::baseline
