// Records of btmp and wtmp (utmp(5)), and the rules that make one login of them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "agent/record.h"
#include "base/core/bytes.h"

namespace picket::agent {

/// Bytes of one record: times of 32 bits (glibc on x86-64, riscv64 and 32-bit machines), or of 64 (glibc on arm64,
/// musl).
inline constexpr std::size_t kAccountingBytes = 384, kAccountingWideBytes = 400;
/// As much tells which of the two a record is.
inline constexpr std::size_t kAccountingHeadBytes = 348;
/// Which layout the record that begins here has, by where its time stands. nullopt: shorter than a head, or a time
/// before 2001, as of a device whose clock was not set yet.
std::optional<std::size_t> accounting_bytes(Bytes head);

struct AccountingEntry {
  enum class Type : std::uint16_t { user_process = 7, login_process = 6, dead_process = 8 };
  Type type = Type::user_process;
  std::uint32_t pid = 0;
  std::string line, user, host;
  IpAddress remote;
  Timestamp time;
};
/// nullopt: of neither size, or a type that says nothing of logins.
std::optional<AccountingEntry> parse_accounting(Bytes record);

/// wtmp: user_process is a login; dead_process on its line, or the end of its process (sshd writes no dead_process
/// where there is no utmp), is its logout. btmp: each entry is a failed login, but for unknown users sshd writes one
/// more than there were attempts: their first is held until a second comes or the process has ended.
class AccountingAssembler {
 public:
  static constexpr std::size_t kTableMax = 256;
  using Emit = std::function<void(const LoginRecord&)>;
  using Ask = std::function<bool(const AccountingEntry&)>;

  /// `known_user`: the account exists; `alive`: the entry's process does.
  AccountingAssembler(Emit emit, Ask known_user, Ask alive)
      : emit_(std::move(emit)), known_user_(std::move(known_user)), alive_(std::move(alive)) {}
  void take_btmp(const AccountingEntry& entry, Moment now);
  void take_wtmp(const AccountingEntry& entry, Moment now);
  /// True: something is held; call again within seconds.
  bool tick(Moment now);

 private:
  struct Seen {
    AccountingEntry entry;
    bool told = false;
  };
  void emit(LoginRecord::Kind kind, const AccountingEntry& entry, Moment now);

  Emit emit_;
  Ask known_user_, alive_;
  std::deque<Seen> unknown_;            // one a process that tried an unknown user
  std::deque<AccountingEntry> online_;  // by line
};

}  // namespace picket::agent
