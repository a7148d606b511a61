// accounts: what passwd(5), group(5), shadow(5) and home folders say. Hashes of passwords never leave this file.
#include <algorithm>
#include <array>
#include <ctime>

#include "base/core/hash.h"
#include "baseline/lines.h"
#include "baseline/procedure.h"
#include "baseline/procedures/account_files.h"

namespace picket::agent::baseline {
namespace {

bool has_hash(std::string_view password) {
  return password.size() >= 13 && password.front() != '!' && password.front() != '*';
}

bool can_log_in(const User& user) {
  const std::string_view shell = user.shell.substr(user.shell.rfind('/') + 1);
  return shell != "nologin" && shell != "false" && shell != "true" && shell != "sync" && shell != "shutdown" &&
         shell != "halt";
}

/// People and root: those who work in their homes.
bool is_person(const Accounts& accounts, const User& user) {
  return (user.id == 0 || (user.id >= accounts.uid_min && user.id < 60'000)) && can_log_in(user);
}

/// Says at most a handful of names.
class Culprits {
 public:
  explicit Culprits(Check& check) : check_(check) {}
  void add(std::string_view name, std::string_view why = {}, std::string_view more = {}) {
    if (++count_ <= 5) observe(check_.observed, name, why, more);
  }
  [[nodiscard]] State state() const {
    if (count_ > 5) observe(check_.observed, std::to_string(count_ - 5), " more");
    return pass_if(count_ == 0);
  }

 private:
  Check& check_;
  std::size_t count_ = 0;
};

using Test = State (*)(Check&, const Accounts&);

State passwords_shadowed(Check& check, const Accounts& accounts) {
  Culprits out(check);
  for (const User& user : accounts.users) {
    if (has_hash(user.password)) out.add(user.name, " has its password in passwd");
  }
  return out.state();
}

State no_empty_passwords(Check& check, const Accounts& accounts) {
  Culprits out(check);
  for (const User& user : accounts.users) {
    if (user.password.empty()) out.add(user.name, " needs no password");
  }
  for (const Shadow& shadow : accounts.shadows) {
    if (shadow.password.empty()) out.add(shadow.name, " needs no password");
  }
  return out.state();
}

State only_root_is_0(Check& check, const Accounts& accounts) {
  Culprits out(check);
  for (const User& user : accounts.users) {
    if (user.id == 0 && user.name != "root") out.add(user.name, " has id 0");
  }
  return out.state();
}

State root_group_0(Check& check, const Accounts& accounts) {
  const auto root = std::ranges::find(accounts.users, "root", &User::name);
  if (root == accounts.users.end()) return State::skip;
  observe(check.observed, "group of root is ", std::to_string(root->group));
  return pass_if(root->group == 0);
}

State root_password_set(Check& check, const Accounts& accounts) {
  const auto root = std::ranges::find(accounts.shadows, "root", &Shadow::name);
  if (root == accounts.shadows.end()) return State::skip;
  observe(check.observed, has_hash(root->password) ? "root has a password" : "root has no password to log in with");
  return pass_if(has_hash(root->password));
}

State groups_exist(Check& check, const Accounts& accounts) {
  Culprits out(check);
  for (const User& user : accounts.users) {
    if (std::ranges::find(accounts.groups, user.group, &Group::id) == accounts.groups.end()) {
      out.add(user.name, " is of a group that does not exist");
    }
  }
  return out.state();
}

State shadow_group_empty(Check& check, const Accounts& accounts) {
  const auto group = std::ranges::find(accounts.groups, "shadow", &Group::name);
  if (group == accounts.groups.end()) return State::pass;
  Culprits out(check);
  if (!group->members.empty()) out.add("members: ", group->members);
  for (const User& user : accounts.users) {
    if (user.group == group->id) out.add(user.name, " has it as its own group");
  }
  return out.state();
}

State system_accounts_locked(Check& check, const Accounts& accounts) {
  Culprits out(check);
  for (const User& user : accounts.users) {
    if (user.id <= 0 || user.id >= accounts.uid_min) continue;
    if (can_log_in(user)) out.add(user.name, " has the shell ", user.shell.empty() ? "/bin/sh" : user.shell);
  }
  return out.state();
}

State no_legacy_entries(Check& check, const Accounts&) {
  Culprits out(check);
  for (const char* const path : {"/etc/passwd", "/etc/shadow", "/etc/group"}) {
    for_each_line(check.facts.text(path).text, "#", [&](std::string_view line) {
      if (line.starts_with('+')) out.add(path, " has a line of +");
      return true;
    });
  }
  return out.state();
}

/// Calls `each(user, home's path, its status)` for the homes of people that are there.
template <class Each>
void for_each_home(Check& check, const Accounts& accounts, Each each) {
  for (const User& user : accounts.users) {
    struct stat info{};
    if (!is_person(accounts, user) || !user.home.starts_with('/') || user.home == "/") continue;
    if (check.facts.root().stat(user.home, info) == Found::yes) each(user, user.home, info);
  }
}

State homes_exist(Check& check, const Accounts& accounts) {
  Culprits out(check);
  for (const User& user : accounts.users) {
    if (!is_person(accounts, user)) continue;
    struct stat info{};
    const bool there = user.home.starts_with('/') && check.facts.root().stat(user.home, info) == Found::yes;
    if (!there || !S_ISDIR(info.st_mode)) out.add(user.name, " has no home ", user.home);
  }
  return out.state();
}

State homes_closed(Check& check, const Accounts& accounts) {
  Culprits out(check);
  const auto refused = check.parameters.number("mode_not").value_or(0027);
  for_each_home(check, accounts, [&](const User&, std::string_view home, const struct stat& info) {
    if ((info.st_mode & refused) != 0) out.add(home, " is open to others");
  });
  return out.state();
}

State homes_owned(Check& check, const Accounts& accounts) {
  Culprits out(check);
  for_each_home(check, accounts, [&](const User& user, std::string_view home, const struct stat& info) {
    if (info.st_uid != static_cast<std::uint64_t>(user.id)) out.add(home, " belongs to somebody else");
  });
  return out.state();
}

/// What is wrong with a file in a home; nullptr: nothing is.
const char* wrong_with(Check& check, const User& user, const std::string& path, const struct stat& info) {
  const Parameters& wanted = check.parameters;
  if (const auto refused = wanted.number("mode_not"))
    return (info.st_mode & *refused) != 0 ? " is open to others" : nullptr;
  if (wanted.has("of")) {
    const bool owner = wanted.text("of") == "owner";
    const std::uint64_t id = owner ? info.st_uid : info.st_gid;
    if (id == static_cast<std::uint64_t>(owner ? user.id : user.group)) return nullptr;
    return owner ? " belongs to somebody else" : " is of another group";
  }
  if (const auto pattern = wanted.pattern("pattern")) {
    bool found = false;
    // One that is too large to be read is no profile of a shell.
    for_each_line(check.facts.text(path).text, "#", [&](std::string_view line) {
      found = pattern->found_in(line);
      return !found;
    });
    return found ? " has such a line" : nullptr;
  }
  return " is there";
}

/// Files in homes by the parameter `names`.
State home_files(Check& check, const Accounts& accounts) {
  Culprits out(check);
  for_each_home(check, accounts, [&](const User& user, std::string_view home, const struct stat&) {
    for (const std::string_view pattern : check.parameters.list("names")) {
      for (const std::string& path : check.facts.root().glob(join({home, "/", pattern}))) {
        struct stat info{};
        if (check.facts.root().stat(path, info) != Found::yes || !S_ISREG(info.st_mode)) continue;
        if (const char* const why = wrong_with(check, user, path, info)) out.add(path, why);
      }
    }
  });
  return out.state();
}

/// A field of shadow, of every account with a password, within `min` and `max`.
State ageing(Check& check, const Accounts& accounts) {
  if (!accounts.has_shadow) return State::skip;
  const std::string_view what = check.parameters.text("what");
  const auto field = what == "days_min"    ? &Shadow::min
                     : what == "days_max"  ? &Shadow::max
                     : what == "days_warn" ? &Shadow::warn
                                           : &Shadow::inactive;
  Culprits out(check);
  for (const Shadow& shadow : accounts.shadows) {
    if (!has_hash(shadow.password)) continue;
    const std::string value = std::to_string(shadow.*field);
    if (shadow.*field < 0) {
      out.add(shadow.name, " has no limit");
    } else if (!complies(check.parameters, value)) {
      out.add(shadow.name, " has ", value);
    }
  }
  return out.state();
}

State changed_in_past(Check& check, const Accounts& accounts) {
  Culprits out(check);
  const std::int64_t today = std::time(nullptr) / 86'400;
  for (const Shadow& shadow : accounts.shadows) {
    if (has_hash(shadow.password) && shadow.changed > today + 1)
      out.add(shadow.name, " changes its password in future");
  }
  return out.state();
}

State strong_hashes(Check& check, const Accounts& accounts) {
  if (!accounts.has_shadow) return State::skip;
  Culprits out(check);
  for (const Shadow& shadow : accounts.shadows) {
    if (!has_hash(shadow.password)) continue;
    const std::string_view hash = shadow.password;
    const bool strong = hash.starts_with("$6$") || hash.starts_with("$5$") || hash.starts_with("$y$") ||
                        hash.starts_with("$gy$") || hash.starts_with("$7$") || hash.starts_with("$2b$");
    if (!strong) out.add(shadow.name, " has a password of a weak hash");
  }
  return out.state();
}

/// Ids or names of accounts or groups that stand more than once.
State unique(Check& check, const Accounts& accounts) {
  const std::string_view what = check.parameters.text("what");
  const bool users = what.contains("user"), by_id = what.ends_with("ids");
  std::vector<std::pair<std::uint64_t, std::string_view>> keys;
  const auto add = [&](std::int64_t id, std::string_view name) {
    keys.emplace_back(by_id ? static_cast<std::uint64_t>(id) : fnv1a64(as_bytes(name)), name);
  };
  if (users) {
    for (const User& user : accounts.users) add(user.id, user.name);
  } else {
    for (const Group& group : accounts.groups) add(group.id, group.name);
  }
  Culprits out(check);
  for (std::size_t i = 1; i < keys.size(); ++i) {  // a few dozen; 4096 at most
    for (std::size_t before = 0; before < i; ++before) {
      if (keys[before].first != keys[i].first) continue;
      out.add(keys[i].second, by_id ? " has the id of " : " stands twice", by_id ? keys[before].second : "");
      break;
    }
  }
  return out.state();
}

constexpr std::pair<std::string_view, Test> kTests[] = {
    {"passwords_shadowed", passwords_shadowed},
    {"no_empty_passwords", no_empty_passwords},
    {"only_root_is_0", only_root_is_0},
    {"root_group_0", root_group_0},
    {"root_password_set", root_password_set},
    {"groups_exist", groups_exist},
    {"shadow_group_empty", shadow_group_empty},
    {"system_accounts_locked", system_accounts_locked},
    {"no_legacy_entries", no_legacy_entries},
    {"homes_exist", homes_exist},
    {"homes_closed", homes_closed},
    {"homes_owned", homes_owned},
    {"home_files", home_files},
    {"days_min", ageing},
    {"days_max", ageing},
    {"days_warn", ageing},
    {"days_inactive", ageing},
    {"changed_in_past", changed_in_past},
    {"strong_hashes", strong_hashes},
    {"unique_user_ids", unique},
    {"unique_user_names", unique},
    {"unique_group_ids", unique},
    {"unique_group_names", unique},
};

}  // namespace

State check_accounts(Check& check) {
  const std::string_view what = check.parameters.text("what");
  for (const auto& [name, test] : kTests) {
    if (name != what) continue;
    Accounts accounts;
    if (const auto problem = read_accounts(check, accounts)) return *problem;
    // Without shadow, an account whose password stands there cannot be judged; unreadable is an error.
    if (const Text shadow = check.facts.text("/etc/shadow"); shadow.found != Found::missing) {
      if (const auto problem = unreadable(check, "/etc/shadow", shadow)) return *problem;
    }
    const State state = test(check, accounts);
    if (state == State::pass && accounts.past_bound) {
      observe(check.observed, "more than ", std::to_string(Accounts::kMax), " entries: not all were looked at");
      return State::error;
    }
    if (state == State::pass && check.observed.empty()) observe(check.observed, "none is otherwise");
    return state;
  }
  observe(check.observed, "this agent does not know ", what);
  return State::error;
}

}  // namespace picket::agent::baseline
