// pam: a module, and an option of it, in the stacks of services, with what they include.
#include <algorithm>

#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

constexpr int kIncludeDepthMax = 6;

struct Stack {
  bool there = false;   ///< The service's file.
  bool module = false;  ///< The module is in the stack.
  std::optional<std::string> option;
  std::optional<State> problem;
};

/// One word of a line, or all of it within [brackets].
std::string_view take_control(std::string_view& line) {
  if (!line.starts_with('[')) return take_word(line);
  const std::string_view out = line.substr(0, line.find(']') + 1);
  line = trim(line.substr(out.size()));
  return out;
}

void read_stack(Check& check, std::string_view service, int depth, Stack& out) {
  std::string path = join({"/etc/pam.d/", service});
  Text text = check.facts.text(path);
  if (text.found == Found::missing) text = check.facts.text(path = join({"/usr/lib/pam.d/", service}));
  if (const auto problem = unreadable(check, path, text)) out.problem = problem;
  if (text.found != Found::yes || depth >= kIncludeDepthMax) return;
  out.there = true;
  const Parameters& wanted = check.parameters;
  const std::string_view option = wanted.text("option");
  for_each_line(text.text, "#", [&](std::string_view line) {
    std::string_view type = take_word(line);
    if (type == "@include") {
      read_stack(check, take_word(line), depth + 1, out);
      return true;
    }
    if (type.starts_with('-')) type.remove_prefix(1);
    if (type != wanted.text("type")) return true;
    const std::string_view control = take_control(line), module = take_word(line);
    if (control == "include" || control == "substack") {
      read_stack(check, module, depth + 1, out);
      return true;
    }
    const std::string_view name = module.substr(module.rfind('/') + 1);
    const auto modules = wanted.list("modules");
    if (std::ranges::find(modules, name) == modules.end()) return true;
    const auto controls = wanted.list("controls");
    if (!controls.empty() && std::ranges::find(controls, control) == controls.end()) return true;
    out.module = true;
    while (!line.empty()) {
      const std::string_view word = take_word(line);
      if (word == option) out.option = "";
      if (word.starts_with(option) && word.substr(option.size()).starts_with('=')) {
        out.option = word.substr(option.size() + 1);
      }
    }
    return true;
  });
}

}  // namespace

State check_pam(Check& check) {
  State state = State::skip;
  for (const std::string_view service : check.parameters.list("services")) {
    Stack stack;
    read_stack(check, service, 0, stack);
    if (stack.problem) return *stack.problem;
    if (!stack.there) continue;
    const std::string place = join({service, " ", check.parameters.text("modules")});
    State one = State::pass;
    if (!stack.module) {
      observe(check.observed, place, " is not in the stack");
      one = State::fail;
    } else if (check.parameters.has("option")) {
      one = judge(check, join({place, " ", check.parameters.text("option")}), stack.option);
    } else {
      observe(check.observed, place, " is in the stack");
    }
    if (state != State::fail) state = one;
  }
  if (state == State::skip) observe(check.observed, "no service of PAM ", check.parameters.text("services"));
  return state;
}

}  // namespace picket::agent::baseline
