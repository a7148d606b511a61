#include "support/audit_record.h"

#include <charconv>

#include "base/core/encoding.h"

namespace picket::agent {
namespace {

constexpr std::uint32_t kUnset = 0xffffffff;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view plain(std::string_view value) {
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) return value.substr(1, value.size() - 2);
  return value == "?" || value == "(none)" ? std::string_view{} : value;
}

}  // namespace

std::optional<std::uint32_t> audit_number(std::string_view value) {
  const auto found = number(value);
  if (!found || *found >= kUnset) return std::nullopt;
  return static_cast<std::uint32_t>(*found);
}

bool take_audit_field(std::string_view& rest, std::string_view& key, std::string_view& value) {
  for (;;) {
    const auto begin = rest.find_first_not_of(" '");
    if (begin == std::string_view::npos) return false;
    rest.remove_prefix(begin);
    const auto equals = rest.find_first_of("= ");
    if (equals == std::string_view::npos) return false;
    if (rest[equals] == ' ') {  // a word without value, e.g. of "op=adding user"
      rest.remove_prefix(equals);
      continue;
    }
    key = rest.substr(0, equals);
    rest.remove_prefix(equals + 1);
    std::size_t end = 0;
    if (rest.starts_with('"')) {
      const auto quote = rest.find('"', 1);
      end = quote == std::string_view::npos ? rest.size() : quote + 1;
    } else {
      end = std::min(rest.find_first_of(" '"), rest.size());
    }
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return true;
  }
}

std::string audit_text(std::string_view value) {
  if (value.starts_with('"') || value == "?") return std::string(plain(value));
  const auto decoded = from_hex(value);
  return decoded ? std::string(as_text(*decoded)) : std::string(value);
}

std::optional<AuditStamp> take_audit_stamp(std::string_view& text) {
  static constexpr std::string_view kPrefix = "audit(";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  const auto colon = text.find(':');
  const auto dot = text.find('.');
  const auto close = text.find("):");
  if (close == std::string_view::npos || colon > close || dot > colon) return std::nullopt;
  const auto seconds = number(text.substr(kPrefix.size(), dot - kPrefix.size()));
  const auto ms = number(text.substr(dot + 1, colon - dot - 1));
  const auto serial = number(text.substr(colon + 1, close - colon - 1));
  if (!seconds || !ms || *ms > 999 || *seconds > 250'000'000'000 || !serial) return std::nullopt;
  text.remove_prefix(close + 2);
  return AuditStamp{{static_cast<std::int64_t>(*seconds * 1'000'000 + *ms * 1000)}, *serial};
}

std::optional<AuditLogin> parse_audit_login(std::uint16_t type, std::string_view text) {
  AuditLogin out;
  switch (static_cast<AuditType>(type)) {
    case AuditType::user_auth:
    case AuditType::user_acct:
    case AuditType::user_start:
    case AuditType::user_end:
    case AuditType::user_login:
    case AuditType::user_logout:
    case AuditType::user_cmd:
      out.type = static_cast<AuditType>(type);
      break;
    default:
      return std::nullopt;
  }
  while (text.ends_with('\0') || text.ends_with('\n')) text.remove_suffix(1);
  const auto stamp = take_audit_stamp(text);
  if (!stamp) return std::nullopt;
  out.time = stamp->time;
  // The kernel writes the sender's ids in front; what the sender says of itself stands inside msg='...'.
  const auto message = text.find("msg='");
  auto head = text.substr(0, message);
  auto body = message == std::string_view::npos ? std::string_view{} : text.substr(message + 5);
  std::string_view key, value;
  bool has_pid = false;
  bool has_result = false;
  while (take_audit_field(head, key, value)) {
    if (key == "pid") {
      const auto pid = audit_number(value);
      has_pid = pid.has_value();
      out.pid = pid.value_or(0);
    } else if (key == "uid") {
      out.uid = audit_number(value).value_or(0);
    } else if (key == "auid") {
      out.auid = audit_number(value);
    } else if (key == "ses") {
      out.session = audit_number(value).value_or(0);
    }
  }
  while (take_audit_field(body, key, value)) {
    if (key == "op") out.operation = plain(value);
    if (key == "acct") out.account = audit_text(value);
    if (key == "id") out.id = audit_number(value);
    if (key == "exe") out.executable = plain(value);
    if (key == "hostname") out.host = plain(value);
    if (key == "addr") out.address = plain(value);
    if (key == "terminal") out.terminal = plain(value);
    if (key == "res") {
      out.success = value == "success" || value == "1";
      has_result = true;
    }
  }
  if (!has_pid || !has_result) return std::nullopt;
  return out;
}

}  // namespace picket::agent
