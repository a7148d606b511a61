#include "baseline/procedure.h"

#include <algorithm>

#include "baseline/lines.h"
#include "baseline/root.h"

namespace picket::agent::baseline {
namespace {

constexpr Procedure kProcedures[] = {
    {"accounts", check_accounts},
    {"audit_rule", check_audit_rule},
    {"exists", check_exists},
    {"file", check_file},
    {"files", check_files},
    {"firewall", check_firewall},
    {"kernel_argument", check_kernel_argument},
    {"kernel_module", check_kernel_module},
    {"listening", check_listening},
    {"mount", check_mount},
    {"package", check_package},
    {"pam", check_pam},
    {"root_path", check_root_path},
    {"service", check_service},
    {"setting", check_setting},
    {"sshd", check_sshd},
    {"sysctl", check_sysctl},
    {"text", check_text},
};

}  // namespace

const Procedure* find_procedure(std::string_view name) {
  const auto* const found = std::ranges::find(kProcedures, name, &Procedure::name);
  return found == std::end(kProcedures) ? nullptr : found;
}

State when_missing(const Check& check, State otherwise) {
  const std::string_view text = check.parameters.text("missing");
  if (text == "pass") return State::pass;
  if (text == "fail") return State::fail;
  if (text == "skip") return State::skip;
  return text == "error" ? State::error : otherwise;
}

namespace {

/// Whether a list of algorithms has one of `refused`. As ssh_config(5) has it, "-a*,b" takes away from the default,
/// "+a" and
/// "^a" add to it.
bool has_refused(std::span<const std::string_view> refused, std::string_view value, std::string_view fallback) {
  const auto is_refused = [&](std::string_view word) {
    return std::ranges::any_of(refused, [&](std::string_view each) { return equal_ignoring_case(each, word); });
  };
  const char first = value.empty() ? '\0' : value.front();
  const bool taken = first == '-', added = first == '+' || first == '^';
  if (taken || added) value.remove_prefix(1);
  const auto is_taken = [&](std::string_view word) {
    for (std::string_view rest = value; taken && !rest.empty();) {
      if (matches_glob(trim(take_word(rest, ",")), word)) return true;
    }
    return false;
  };
  while ((taken || added) && !fallback.empty()) {
    const std::string_view word = trim(take_word(fallback, ","));
    if (is_refused(word) && !is_taken(word)) return true;
  }
  while (!taken && !value.empty()) {
    if (is_refused(trim(take_word(value, ",")))) return true;
  }
  return false;
}

}  // namespace

bool complies(const Parameters& parameters, std::string_view value) {
  const auto is_in = [&](std::span<const std::string_view> list, std::string_view word) {
    return std::ranges::any_of(list, [&](std::string_view each) { return equal_ignoring_case(each, word); });
  };
  if (const auto allowed = parameters.list("is"); !allowed.empty() && !is_in(allowed, value)) return false;
  if (is_in(parameters.list("is_not"), value)) return false;
  if (const auto refused = parameters.list("none_of");
      !refused.empty() && has_refused(refused, value, parameters.text("default"))) {
    return false;
  }
  const auto low = parameters.number("min"), high = parameters.number("max");
  if (low || high) {
    const auto number = quantity_of(value);
    if (!number || (low && *number < *low) || (high && *number > *high)) return false;
  }
  const auto pattern = parameters.pattern("pattern");
  return !pattern || pattern->found_in(value);
}

State judge(Check& check, std::string_view name, const std::optional<std::string>& value) {
  if (value) {
    observe(check.observed, name, " = ", *value);
    return pass_if(complies(check.parameters, *value));
  }
  if (check.parameters.has("default")) {
    const std::string_view fallback = check.parameters.text("default");
    observe(check.observed, name, " is not set, which means ", fallback);
    return pass_if(complies(check.parameters, fallback));
  }
  observe(check.observed, name, " is not set");
  return when_missing(check, State::fail);
}

std::optional<State> unreadable(Check& check, std::string_view path, const Text& text) {
  if (text.found == Found::yes || text.found == Found::missing) return std::nullopt;
  observe(check.observed, path, text.found == Found::too_large ? " is too large" : " cannot be read");
  return State::error;
}

}  // namespace picket::agent::baseline
