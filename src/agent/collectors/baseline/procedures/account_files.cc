#include "baseline/procedures/account_files.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "baseline/lines.h"

namespace picket::agent::baseline {
namespace {

/// strtoul(3) takes blanks and a sign; -1 what it does not take.
std::int64_t id(std::string_view text) {
  text = text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  const auto number = text.starts_with('-') ? std::nullopt : number_of(text);
  if (!number || *number > UINT32_MAX) return -1;
  return minus ? static_cast<std::int64_t>(static_cast<std::uint32_t>(-*number)) : *number;
}

std::int64_t days(std::string_view text) { return number_of(trim(text)).value_or(-1); }

/// Calls `each(fields)` for every line of `least` fields or more. False: there are more lines than kMax.
template <std::size_t kFields, class Each>
bool for_each_entry(std::string_view text, std::size_t least, Each each) {
  std::size_t entries = 0;
  for_each_line(text, "#", [&](std::string_view line) {
    std::array<std::string_view, kFields> fields;
    std::size_t count = 0;
    for (bool more = true; more && count < kFields; ++count) {
      const auto colon = count + 1 < kFields ? line.find(':') : std::string_view::npos;
      more = colon != std::string_view::npos;
      fields[count] = line.substr(0, colon);
      line.remove_prefix(more ? colon + 1 : line.size());
    }
    if (count >= least && entries < Accounts::kMax) each(fields);
    return ++entries <= Accounts::kMax;
  });
  return entries <= Accounts::kMax;
}

}  // namespace

std::optional<State> read_accounts(Check& check, Accounts& out) {
  const Text passwd = check.facts.text("/etc/passwd"), group = check.facts.text("/etc/group"),
             shadow = check.facts.text("/etc/shadow");
  for (const auto& [path, text] : {std::pair("/etc/passwd", passwd), std::pair("/etc/group", group)}) {
    if (const auto problem = unreadable(check, path, text)) return problem;
  }
  if (passwd.found == Found::missing) {
    observe(check.observed, "/etc/passwd is not there");
    return State::skip;
  }
  const bool all_users = for_each_entry<7>(passwd.text, 4, [&out](const auto& f) {
    out.users.push_back(
        {.name = f[0], .password = f[1], .home = f[5], .shell = f[6], .id = id(f[2]), .group = id(f[3])});
  });
  const bool all_groups = for_each_entry<4>(group.text, 3, [&out](const auto& f) {
    out.groups.push_back({.name = f[0], .password = f[1], .members = f[3], .id = id(f[2])});
  });
  out.has_shadow = shadow.found == Found::yes;
  const bool all_shadows = for_each_entry<9>(shadow.text, 2, [&out](const auto& f) {
    out.shadows.push_back({.name = f[0],
                           .password = f[1],
                           .changed = days(f[2]),
                           .min = days(f[3]),
                           .max = days(f[4]),
                           .warn = days(f[5]),
                           .inactive = days(f[6])});
  });
  out.past_bound = !all_users || !all_groups || !all_shadows;
  for_each_line(check.facts.text("/etc/login.defs").text, "#", [&](std::string_view line) {
    if (take_word(line) == "UID_MIN") out.uid_min = number_of(take_word(line)).value_or(1'000);
    return true;
  });
  return std::nullopt;
}

}  // namespace picket::agent::baseline
