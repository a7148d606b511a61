// package: whether one of some packages is installed. service: whether a unit or init script starts by itself.
#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

/// Where `program`, or one of its name in another folder of programs, lies: images without a package manager put them
/// where they like. Empty: nowhere.
std::string place_of(const Root& root, std::string_view program) {
  if (root.exists(program)) return std::string(program);
  const std::string_view name = program.substr(program.rfind('/') + 1);
  for (const std::string_view folder :
       {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/local/sbin/", "/usr/local/bin/"}) {
    std::string path = join({folder, name});
    if (root.exists(path)) return path;
  }
  return {};
}

}  // namespace

State check_package(Check& check) {
  const std::string& unread = check.facts.unread_packages();
  if (check.facts.has_package_database() || !unread.empty()) {
    for (const std::string_view name : check.parameters.list("names")) {
      if (!check.facts.packages().has(name)) continue;
      observe(check.observed, "package ", name, " is installed");
      return State::pass;
    }
    if (!unread.empty()) {
      observe(check.observed, unread, " cannot be read");
      return State::error;
    }
    observe(check.observed, "package ", check.parameters.text("names"), " is not installed");
    return State::fail;
  }
  // Without a package manager programs tell.
  const auto programs = check.parameters.list("programs");
  if (programs.empty()) {
    observe(check.observed, "no package manager");
    return State::skip;
  }
  for (const std::string_view program : programs) {
    const std::string path = place_of(check.facts.root(), program);
    if (path.empty()) continue;
    observe(check.observed, path, " is there");
    return State::pass;
  }
  observe(check.observed, programs.front(), " is not there");
  return State::fail;
}

State check_service(Check& check) {
  const std::string_view want = check.parameters.text("state", "enabled");
  bool any = false, enabled = false, masked = true;
  for (const std::string_view name : check.parameters.list("names")) {
    const std::string unit = join({name, name.contains('.') ? "" : ".service"});
    const UnitState state = check.facts.unit(unit);
    if (state == UnitState::absent) continue;
    any = true;
    constexpr std::string_view texts[] = {"", " is not enabled", " is masked", " is enabled"};
    if (state == UnitState::enabled && !enabled) check.observed.clear();
    if (state == UnitState::enabled || !enabled) observe(check.observed, unit, texts[static_cast<std::size_t>(state)]);
    enabled = enabled || state == UnitState::enabled;
    masked = masked && state == UnitState::masked;
  }
  if (!any) {
    observe(check.observed, "no service ", check.parameters.text("names"));
    return when_missing(check, pass_if(want == "disabled"));
  }
  return pass_if(want == "masked" ? masked : enabled == (want == "enabled"));
}

}  // namespace picket::agent::baseline
