#include "login/login_assembler.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>

#include "support/bpf_text.h"

namespace picket::agent {
namespace {

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Programs whose PAM sessions are no logins.
bool opens_no_login(const AuditLogin& login) {
  static constexpr std::array<std::string_view, 8> kNoLogin{"cron",    "crond",  "atd",      "systemd",
                                                            "runuser", "pkexec", "chpasswd", "passwd"};
  const auto name = base_name(login.executable);
  if (std::find(kNoLogin.begin(), kNoLogin.end(), name) != kNoLogin.end()) return true;
  return name.starts_with("polkit");
}

bool becomes_another_user(const AuditLogin& login) {
  const auto name = base_name(login.executable);
  return name == "su" || name == "sudo";
}

}  // namespace

IpAddress parse_address(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  std::array<std::uint8_t, 16> raw{};
  if (text.empty() || text.size() >= sizeof(copy)) return {};
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  if (inet_pton(AF_INET, copy, raw.data()) == 1) return address_of(AF_INET, raw.data());
  if (inet_pton(AF_INET6, copy, raw.data()) == 1) return address_of(AF_INET6, raw.data());
  return {};
}

std::uint32_t LoginAssembler::invoker(const AuditLogin& login) {
  const auto known = std::ranges::find(invokers_, login.pid, &Invoker::pid);
  const bool first = login.type == AuditType::user_auth || login.type == AuditType::user_acct;
  if (known != invokers_.end() && !first) return known->uid;
  if (known != invokers_.end()) invokers_.erase(known);  // or the pid lives a second life
  if (invokers_.size() == kTableMax) invokers_.pop_front();
  invokers_.push_back({login.pid, login.uid});
  return login.uid;
}

void LoginAssembler::take(const AuditLogin& login, Moment now) {
  if (opens_no_login(login) || (becomes_another_user(login) && invoker(login) == 0)) {
    ++ignored_;
    return;
  }
  switch (login.type) {
    case AuditType::user_auth:
    case AuditType::user_acct:
      if (!login.success) return failed(login, now);
      break;  // right password; the session will tell
    case AuditType::user_login:
      if (!login.success) return failed_login_event(login, now);
      [[fallthrough]];
    case AuditType::user_start:
      if (login.success) return opened(login, now);
      break;
    case AuditType::user_end:
    case AuditType::user_logout:
      return closed(login, now);
    case AuditType::user_cmd:
      // After wrong passwords it says the same once more.
      if (!login.success && std::ranges::find(failures_, login.pid, &Failure::pid) == failures_.end())
        return failed(login, now);
      break;
  }
  ++ignored_;
}

void LoginAssembler::failed(const AuditLogin& login, Moment now) {
  if (failures_.size() == kTableMax) failures_.pop_front();
  failures_.push_back({std::string(login.executable), std::string(login.address), now.monotonic, login.pid});
  emit(LoginRecord::Kind::login_failed, login, now);
}

bool LoginAssembler::recently_failed(std::string_view executable, std::string_view address, Duration now) const {
  return std::any_of(failures_.begin(), failures_.end(), [&](const Failure& f) {
    return f.executable == executable && f.address == address && now - f.at <= kRepeatWindow;
  });
}

void LoginAssembler::failed_login_event(const AuditLogin& login, Moment now) {
  const bool again = std::any_of(held_.begin(), held_.end(), [&](const Held& h) { return h.pid == login.pid; });
  if (again || recently_failed(login.executable, login.address, now.monotonic)) {
    ++ignored_;
    return;
  }
  if (held_.size() == kTableMax) {
    emit_held(held_.front());
    held_.pop_front();
  }
  held_.push_back({login.pid, now, std::string(login.executable), std::string(login.address), login.account,
                   std::string(login.host), std::string(login.terminal)});
}

bool LoginAssembler::tick(Moment now) {
  std::erase_if(held_, [&](const Held& held) {
    if (recently_failed(held.executable, held.address, now.monotonic)) {
      ++ignored_;
      return true;
    }
    if (alive_(held.pid) && now.monotonic - held.since.monotonic < kHoldMax) return false;
    emit_held(held);
    return true;
  });
  return !held_.empty();
}

void LoginAssembler::opened(const AuditLogin& login, Moment now) {
  drop_held_of(login.pid);
  if (Session* known = session(login.pid); known && !known->ended) {
    ++ignored_;
    return;
  } else if (known) {
    known->ended = false;  // the pid lives a second life
  } else {
    if (sessions_.size() == kTableMax) sessions_.pop_front();
    sessions_.push_back({login.pid, false});
  }
  emit(LoginRecord::Kind::login, login, now);
}

void LoginAssembler::closed(const AuditLogin& login, Moment now) {
  Session* known = session(login.pid);
  if (known ? known->ended : login.type == AuditType::user_logout || becomes_another_user(login)) {
    ++ignored_;
    return;
  }
  if (known) known->ended = true;
  emit(LoginRecord::Kind::logout, login, now);
}

void LoginAssembler::drop_held_of(std::uint32_t pid) {
  ignored_ += std::erase_if(held_, [&](const Held& held) { return held.pid == pid; });
}

LoginAssembler::Session* LoginAssembler::session(std::uint32_t pid) {
  const auto at = std::find_if(sessions_.begin(), sessions_.end(), [&](const Session& s) { return s.pid == pid; });
  return at == sessions_.end() ? nullptr : &*at;
}

void LoginAssembler::emit(LoginRecord::Kind kind, const AuditLogin& login, Moment now) {
  LoginRecord record{.kind = kind, .time = now, .origin = origin_};
  record.time.wall = login.time;
  record.pid = login.pid;
  const auto uid = kind == LoginRecord::Kind::login_failed ? login.id : login.auid ? login.auid : login.id;
  std::string name = login.account, by;
  if (becomes_another_user(login)) {  // the ids are of who asks
    by = name_of_(invoker(login));
    if (name.empty()) name = by;
    if (by != name) record.by_user = by;
  } else {
    record.uid = uid.value_or(0);
    record.uid_known = uid.has_value();
    if (name.empty() && uid) name = name_of_(*uid);
  }
  record.user = name;
  record.executable = login.executable;
  record.terminal = login.terminal;
  record.operation = login.operation;
  record.remote_host = login.host;
  record.remote = parse_address(login.address);
  record.session = login.session;
  emit_(record);
}

void LoginAssembler::emit_held(const Held& held) {
  LoginRecord record{.kind = LoginRecord::Kind::login_failed, .time = held.since, .origin = origin_};
  record.pid = held.pid;
  record.user = held.account;
  record.executable = held.executable;
  record.terminal = held.terminal;
  record.operation = "login";
  record.remote_host = held.host;
  record.remote = parse_address(held.address);
  emit_(record);
}

}  // namespace picket::agent
