#include "login/pam_line.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace picket::agent {
namespace {

constexpr std::string_view kNoLogin[] = {"cron",      "crond",    "atd",      "systemd-user", "runuser",
                                         "runuser-l", "chpasswd", "newusers", "passwd",       "polkit-1",
                                         "chfn",      "chsh",     "useradd",  "groupadd"};
constexpr std::string_view kBecomeAnother[] = {"su", "su-l", "sudo", "sudo-i"};

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// The first field, taken off the front; nullopt: there is no comma behind it.
std::optional<std::string_view> front(std::string_view& rest) {
  const auto comma = rest.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto field = trimmed(rest.substr(0, comma));
  rest.remove_prefix(comma + 1);
  return field;
}

std::optional<std::string_view> back(std::string_view& rest) {
  const auto comma = rest.rfind(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto field = trimmed(rest.substr(comma + 1));
  rest = rest.substr(0, comma);
  return field;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "2026-11-22T08:00:00+0100" of date(1) has no colon in its offset, which RFC 3339 wants.
std::optional<Timestamp> time_of(std::string_view text) {
  std::string whole(text);
  const auto sign = whole.find_last_of("+-");
  if (sign != std::string::npos && sign > 10 && whole.size() == sign + 5) whole.insert(sign + 3, 1, ':');
  const auto time = parse_rfc3339(whole);
  return time ? std::optional(*time) : std::nullopt;
}

// Fields of ours, from the back. A user's name cannot stand there: three fields follow it.
void take_ours(std::string_view& rest, PamLine& line) {
  for (;;) {
    auto shorter = rest;
    const auto field = back(shorter);
    if (!field) return;
    if (field->starts_with("pid=")) {
      line.pid = number(field->substr(4)).value_or(0);
    } else if (field->starts_with("ses=")) {
      const auto session = number(field->substr(4)).value_or(0);
      line.session = session == 0xffffffff ? 0 : session;
    } else if (field->starts_with("by=")) {
      line.by = field->substr(3);
    } else {
      return;
    }
    rest = shorter;
  }
}

bool is_no_login(const PamLine& line) {
  if (std::ranges::find(kNoLogin, line.service) != std::end(kNoLogin)) return true;
  return line.by == "root" && std::ranges::find(kBecomeAnother, line.service) != std::end(kBecomeAnother);
}

}  // namespace

std::optional<PamLine> parse_pam_line(std::string_view text) {
  PamLine line;
  take_ours(text, line);
  const auto code = back(text), terminal = back(text), host = back(text);
  const auto time = front(text), first = front(text), second = front(text), type = front(text), service = front(text);
  if (!code || !terminal || !host || !time || !first || !second || !type || !service) return std::nullopt;
  const auto when = time_of(*time);
  if (!when || !number(*first) || !number(*second) || service->empty()) return std::nullopt;
  line.time = *when;
  line.type = *type;
  line.service = *service;
  line.user = trimmed(text);
  line.remote_host = *host;
  line.terminal = *terminal;
  if (*type == "open_session" && *code == "0")
    line.kind = LoginRecord::Kind::login;
  else if (*type == "close_session" && *code == "1")
    line.kind = LoginRecord::Kind::logout;
  else if (*type == "auth" && *code == "2")
    line.kind = LoginRecord::Kind::login_failed;
  else
    return std::nullopt;
  if (is_no_login(line)) return std::nullopt;
  return line;
}

}  // namespace picket::agent
