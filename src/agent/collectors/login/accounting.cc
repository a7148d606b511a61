#include "login/accounting.h"

#include <algorithm>
#include <array>

#include "base/core/cursor.h"
#include "login/login_assembler.h"

namespace picket::agent {
namespace {

std::string text_of(Bytes field) {
  const auto text = as_text(field);
  return std::string(text.substr(0, text.find('\0')));
}

Result<AccountingEntry> read_entry(Bytes record) {
  Cursor in{record};
  AccountingEntry entry;
  TRY(const std::uint16_t type, in.le<std::uint16_t>());
  TRY_VOID(in.take(2));
  TRY(entry.pid, in.le<std::uint32_t>());
  TRY(const Bytes line, in.take(32));
  TRY_VOID(in.take(4));
  TRY(const Bytes user, in.take(32));
  TRY(const Bytes host, in.take(256));
  TRY_VOID(in.take(4));  // exit status
  const bool wide = record.size() == kAccountingWideBytes;
  TRY_VOID(in.take(wide ? 8 : 4));  // session
  TRY(const std::uint32_t seconds, in.le<std::uint32_t>());
  TRY_VOID(in.take(wide ? 4 : 0));
  TRY(const std::uint32_t micros, in.le<std::uint32_t>());
  TRY_VOID(in.take(wide ? 4 : 0));
  TRY(const Bytes address, in.take(16));
  entry.type = static_cast<AccountingEntry::Type>(type);
  entry.line = text_of(line);
  entry.user = text_of(user);
  entry.host = text_of(host);
  entry.time.us = std::int64_t{seconds} * 1'000'000 + std::min<std::uint32_t>(micros, 999'999);
  std::array<std::uint8_t, 16> raw{};
  std::transform(address.begin(), address.end(), raw.begin(), [](std::byte b) { return static_cast<std::uint8_t>(b); });
  const bool any = std::any_of(raw.begin(), raw.end(), [](std::uint8_t b) { return b != 0; });
  const bool long_address = std::any_of(raw.begin() + 4, raw.end(), [](std::uint8_t b) { return b != 0; });
  if (any) {
    entry.remote.length = long_address ? 16 : 4;
    entry.remote.bytes = raw;
  } else {
    entry.remote = parse_address(entry.host);
  }
  return entry;
}

}  // namespace

std::optional<std::size_t> accounting_bytes(Bytes head) {
  constexpr std::uint32_t kIn2001 = 1'000'000'000;
  constexpr std::size_t kSeconds = 340, kWideSeconds = 344;
  Cursor narrow{head}, wide{head};
  if (!narrow.take(kSeconds) || !wide.take(kWideSeconds)) return std::nullopt;
  const auto seconds = narrow.le<std::uint32_t>(), wide_seconds = wide.le<std::uint32_t>();
  if (!seconds || !wide_seconds) return std::nullopt;
  // In the wide one the upper half of a session's number stands at 340; in the other microseconds at 344.
  if (*seconds > kIn2001) return kAccountingBytes;
  return *wide_seconds > kIn2001 ? std::optional(kAccountingWideBytes) : std::nullopt;
}

std::optional<AccountingEntry> parse_accounting(Bytes record) {
  if (record.size() != kAccountingBytes && record.size() != kAccountingWideBytes) return std::nullopt;
  auto entry = read_entry(record);
  if (!entry) return std::nullopt;
  switch (entry->type) {
    case AccountingEntry::Type::user_process:
    case AccountingEntry::Type::login_process:
    case AccountingEntry::Type::dead_process:
      return *std::move(entry);
    default:
      return std::nullopt;
  }
}

void AccountingAssembler::take_btmp(const AccountingEntry& entry, Moment now) {
  if (!entry.line.starts_with("ssh") || known_user_(entry)) return emit(LoginRecord::Kind::login_failed, entry, now);
  const auto at =
      std::find_if(unknown_.begin(), unknown_.end(), [&](const Seen& s) { return s.entry.pid == entry.pid; });
  if (at != unknown_.end()) {
    at->told = true;
    return emit(LoginRecord::Kind::login_failed, entry, now);
  }
  if (unknown_.size() == kTableMax) {
    if (!unknown_.front().told) emit(LoginRecord::Kind::login_failed, unknown_.front().entry, now);
    unknown_.pop_front();
  }
  unknown_.push_back({entry});
}

bool AccountingAssembler::tick(Moment now) {
  std::erase_if(unknown_, [&](const Seen& seen) {
    if (alive_(seen.entry)) return false;
    if (!seen.told) emit(LoginRecord::Kind::login_failed, seen.entry, now);
    return true;
  });
  std::erase_if(online_, [&](AccountingEntry& entry) {
    if (entry.pid == 0 || alive_(entry)) return false;
    entry.time = now.wall;
    emit(LoginRecord::Kind::logout, entry, now);
    return true;
  });
  return !unknown_.empty() || !online_.empty();
}

void AccountingAssembler::take_wtmp(const AccountingEntry& entry, Moment now) {
  const auto at = std::find_if(online_.begin(), online_.end(), [&](const auto& e) { return e.line == entry.line; });
  if (entry.type == AccountingEntry::Type::user_process) {
    if (at != online_.end()) online_.erase(at);
    if (online_.size() == kTableMax) online_.pop_front();
    online_.push_back(entry);
    emit(LoginRecord::Kind::login, entry, now);
  } else if (entry.type == AccountingEntry::Type::dead_process && at != online_.end()) {
    auto who = *at;
    who.time = entry.time;
    online_.erase(at);
    emit(LoginRecord::Kind::logout, who, now);
  }
}

void AccountingAssembler::emit(LoginRecord::Kind kind, const AccountingEntry& entry, Moment now) {
  LoginRecord record{.kind = kind, .time = now, .origin = {"login", "accounting", false}};
  record.time.wall = entry.time;
  record.pid = entry.pid;
  record.user = entry.user;
  record.executable = entry.line.starts_with("ssh") ? "sshd" : "";
  record.terminal = entry.line;
  record.operation = kind == LoginRecord::Kind::login_failed ? "btmp" : "wtmp";
  record.remote_host = entry.host;
  record.remote = entry.remote;
  emit_(record);
}

}  // namespace picket::agent
