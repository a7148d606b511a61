// One kind of check that rules are made of. Adding one: a file in procedures/, a line in procedure.cc, an entry in
// tools/baseline/procedures.yaml (which says what parameters it has), and its tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "baseline/content.h"
#include "baseline/facts.h"
#include "baseline/verdict.h"

namespace picket::agent::baseline {

/// What a procedure is given and where it says what it saw.
struct Check {
  Bytes node;
  const Parameters& parameters;
  Facts& facts;
  std::string& observed;
};

struct Procedure {
  std::string_view name;
  State (*run)(Check& check);
};
/// nullptr: this agent does not know it.
const Procedure* find_procedure(std::string_view name);

State check_accounts(Check& check);
State check_audit_rule(Check& check);
State check_exists(Check& check);
State check_file(Check& check);
State check_files(Check& check);
State check_firewall(Check& check);
State check_kernel_argument(Check& check);
State check_kernel_module(Check& check);
State check_listening(Check& check);
State check_mount(Check& check);
State check_package(Check& check);
State check_pam(Check& check);
State check_root_path(Check& check);
State check_service(Check& check);
State check_setting(Check& check);
State check_sshd(Check& check);
State check_sysctl(Check& check);
State check_text(Check& check);

// ---- what several of them share ----

/// The parameter `missing` ("pass", "fail", "skip" or "error"): what it means that the thing is not there.
State when_missing(const Check& check, State otherwise);
/// What a value has to be, in the parameters is, is_not, none_of (of a list with commas), min, max (also with s, m, h,
/// d, w), pattern. All that are given must hold; without any, every value does.
bool complies(const Parameters& parameters, std::string_view value);
/// Notes "NAME = VALUE" or "NAME is not set" and judges it; `fallback`: what holds when it is not set.
State judge(Check& check, std::string_view name, const std::optional<std::string>& value);
/// A file that cannot be read is an error, said in `observed`. nullopt: it was read, or is not there.
std::optional<State> unreadable(Check& check, std::string_view path, const Text& text);

}  // namespace picket::agent::baseline
