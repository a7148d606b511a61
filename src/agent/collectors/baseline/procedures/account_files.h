// What passwd(5), group(5) and shadow(5) say. Hashes of passwords stay with those who read this.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "baseline/procedure.h"

namespace picket::agent::baseline {

struct User {
  std::string_view name, password, home, shell;
  std::int64_t id = -1, group = -1;
};
struct Group {
  std::string_view name, password, members;
  std::int64_t id = -1;
};
struct Shadow {
  std::string_view name, password;
  std::int64_t changed = -1, min = -1, max = -1, warn = -1, inactive = -1;
};

/// As the C library reads them: fields may be missing at the end of a line, and the last one is all the rest.
struct Accounts {
  static constexpr std::size_t kMax = 4'096;  ///< Entries of one file.
  std::vector<User> users;
  std::vector<Group> groups;
  std::vector<Shadow> shadows;
  bool has_shadow = false;
  bool past_bound = false;  ///< There are more entries, which were not looked at.
  std::int64_t uid_min = 1'000;
};

/// Views lie in the cached texts. A verdict: the files cannot be judged (said in `check.observed`).
std::optional<State> read_accounts(Check& check, Accounts& out);

}  // namespace picket::agent::baseline
