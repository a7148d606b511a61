// passwd(5), group(5) and shadow(5): who may be on this device. What is secret in them is never kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::agent {

/// What an account's password field says. A hash is `set`; "!" or "*" in front, or no possible hash, is `locked`.
enum class PasswordState : std::uint8_t { unknown, set, locked, empty };
std::string_view to_string(PasswordState state);  ///< "" for unknown
/// The state of a field of shadow, or of passwd where it is not "x".
PasswordState password_state(std::string_view field);

struct Account {
  std::string name, home, shell;
  std::uint32_t user = 0, group = 0;
  PasswordState password = PasswordState::unknown;
  std::int64_t password_changed_days = -1;  ///< Since 1970-01-01; -1: not said.
  std::int64_t expires_days = -1;           ///< The same.
};
struct Group {
  std::string name;
  std::uint32_t id = 0;
  std::vector<std::string> members;
};

/// The accounts of a device, from the texts of its files. Lines that are not in the form of the manual are counted and
/// left out, as the system's own functions do.
class Accounts {
 public:
  static constexpr std::size_t kAccountsMax = 4096;
  static constexpr std::size_t kGroupsMax = 4096;
  static constexpr std::size_t kMembersMax = 16384;  ///< Of all groups together.
  static constexpr std::size_t kFieldMax = 256;      ///< Bytes of a name, longer home and shell are cut.

  void read_passwd(std::string_view text);
  void read_group(std::string_view text);
  /// After read_passwd(): the states of those passwords that passwd does not hold itself.
  void read_shadow(std::string_view text);

  [[nodiscard]] const std::vector<Account>& accounts() const { return accounts_; }
  struct Groups {
    std::string ids, names;  ///< Joined with ";": the account's own group, then those that list it.
  };
  [[nodiscard]] Groups groups_of(const Account& account) const;
  [[nodiscard]] std::uint64_t malformed() const { return malformed_; }
  [[nodiscard]] std::uint64_t past_bounds() const { return past_bounds_; }

 private:
  std::vector<Account> accounts_;
  std::vector<Group> groups_;
  std::size_t members_ = 0;
  std::uint64_t malformed_ = 0, past_bounds_ = 0;
};

/// "2026-11-22" of days since 1970-01-01; empty when negative or past the year 9999.
std::string date_text(std::int64_t days);

}  // namespace picket::agent
