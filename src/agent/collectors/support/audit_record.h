// The text of audit records that user space sends (USER_AUTH, USER_START, ...): "audit(SEC.MS:SERIAL): k=v msg='k=v
// ...'".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/time.h"

namespace picket::agent {

/// Record types of linux/audit.h that say something about logins.
enum class AuditType : std::uint16_t {
  user_auth = 1100,
  user_acct = 1101,
  user_start = 1105,
  user_end = 1106,
  user_login = 1112,
  user_logout = 1113,
  user_cmd = 1123,
};

/// Which event a record is part of, and when that was.
struct AuditStamp {
  Timestamp time;
  std::uint64_t serial = 0;
};
/// Takes "audit(SEC.MS:SERIAL):" off the front. nullopt: not of this form, `text` unmoved.
std::optional<AuditStamp> take_audit_stamp(std::string_view& text);
/// Takes one "key=value" off the front; the value keeps its quotes. False: nothing left.
bool take_audit_field(std::string_view& rest, std::string_view& key, std::string_view& value);
/// A value that somebody chose: in quotes, or, when it has a quote, a space or a control byte, in hexadecimal.
std::string audit_text(std::string_view value);
/// A decimal number below 2^32 - 1, which audit writes for "unset". nullopt: none.
std::optional<std::uint32_t> audit_number(std::string_view value);

/// One of those records. Views point into the text that was parsed.
struct AuditLogin {
  AuditType type = AuditType::user_auth;
  Timestamp time;
  std::uint32_t pid = 0;
  std::uint32_t uid = 0;              ///< Real uid of the sender.
  std::optional<std::uint32_t> auid;  ///< Login uid; absent while unset.
  std::optional<std::uint32_t> id;    ///< "id=", where the record names a uid and no account.
  std::uint32_t session = 0;          ///< 0: unset.
  std::string account;                ///< Decoded; empty when unknown. Any bytes.
  std::string_view operation, executable, host, address, terminal;
  bool success = false;
};

/// Parses the payload of one netlink message. nullopt: another type, or not of this form. Bounds: none beyond the text.
std::optional<AuditLogin> parse_audit_login(std::uint16_t type, std::string_view text);

}  // namespace picket::agent
