#include "login/auth_line.h"

#include <algorithm>
#include <charconv>

namespace picket::agent {
namespace {

template <class T>
std::optional<T> number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Splits "X from ADDRESS port N[ ssh2...]" at its last "from". False: not of that form.
bool take_source(std::string_view text, AuthLine& out) {
  const auto from = text.rfind(" from ");
  if (from == std::string_view::npos) return false;
  auto source = text.substr(from + 6);
  const auto port_word = source.find(" port ");
  if (port_word == std::string_view::npos) return false;
  auto port = source.substr(port_word + 6);
  port = port.substr(0, port.find(' '));
  const auto port_number = number<std::uint16_t>(port);
  if (!port_number) return false;
  out.user = text.substr(0, from);
  out.address = source.substr(0, port_word);
  out.port = *port_number;
  return true;
}

// "PAM: Authentication failure for [illegal user ]X from HOST", after "PAM: ".
bool take_pam_error(std::string_view text, AuthLine& out) {
  const auto word = text.find(" for ");
  const auto from = text.rfind(" from ");
  if (word == std::string_view::npos || from == std::string_view::npos || from < word + 5) return false;
  out.kind = LoginRecord::Kind::login_failed;
  out.method = "keyboard-interactive/pam";
  out.user = text.substr(word + 5, from - word - 5);
  out.address = text.substr(from + 6);
  return !out.user.starts_with("illegal user ");
}

// "METHOD for [invalid user ]X from A port N ssh2"
bool take_method_and_source(std::string_view text, AuthLine& out) {
  const auto word = text.find(" for ");
  if (word == std::string_view::npos) return false;
  out.method = text.substr(0, word);
  if (out.method.find(' ') != std::string_view::npos) return false;
  text.remove_prefix(word + 5);
  const bool unknown = take_prefix(text, "invalid user ");
  if (!unknown && out.kind == LoginRecord::Kind::login_failed && out.method.starts_with("keyboard-interactive"))
    return false;
  // A key's fingerprint follows "ssh2:"; the user stands before the last "from" that precedes " ssh2".
  const auto protocol = text.rfind(" ssh2");
  return take_source(protocol == std::string_view::npos ? text : text.substr(0, protocol), out);
}

bool parse_sshd(std::string_view text, AuthLine& out) {
  if (take_prefix(text, "message repeated ")) {
    const auto times_end = text.find(' ');
    const auto times = number<std::uint32_t>(text.substr(0, times_end));
    const auto open = text.find("[ ");
    if (!times || open == std::string_view::npos || !text.ends_with(']')) return false;
    out.times = std::clamp<std::uint32_t>(*times, 1, kRepeatMax);
    text = text.substr(open + 2, text.size() - open - 3);
  }
  take_prefix(text, "error: ");  // syslog has it, sshd's own file has not
  if (take_prefix(text, "PAM: ")) return take_pam_error(text, out);
  if (take_prefix(text, "Failed ")) {
    out.kind = LoginRecord::Kind::login_failed;
    return take_method_and_source(text, out) && out.method != "none";
  }
  if (take_prefix(text, "Accepted ")) {
    out.kind = LoginRecord::Kind::login;
    return take_method_and_source(text, out);
  }
  if (take_prefix(text, "Disconnected from user ")) {
    out.kind = LoginRecord::Kind::logout;
    const auto port_word = text.rfind(" port ");
    if (port_word == std::string_view::npos) return false;
    const auto port = number<std::uint16_t>(text.substr(port_word + 6));
    const auto who = text.substr(0, port_word);
    const auto space = who.rfind(' ');
    if (!port || space == std::string_view::npos) return false;
    out.user = who.substr(0, space);
    out.address = who.substr(space + 1);
    out.port = *port;
    return true;
  }
  return false;
}

// Text between two single quotes.
std::string_view quoted(std::string_view text, std::string_view after) {
  const auto at = text.find(after);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + after.size());
  return text.substr(0, text.find('\''));
}

bool parse_login(std::string_view text, AuthLine& out) {
  if (take_prefix(text, "FAILED LOGIN ")) {
    out.kind = LoginRecord::Kind::login_failed;
    out.terminal = quoted(text, "on '");
    out.user = quoted(text, "FOR '");
    return !out.user.empty();
  }
  const bool root = take_prefix(text, "ROOT LOGIN ");
  if (!root && !take_prefix(text, "LOGIN ON ")) return false;
  out.kind = LoginRecord::Kind::login;
  if (root) {
    out.user = "root";
    out.terminal = quoted(text, "on '");
    return true;
  }
  const auto by = text.find(" BY ");
  if (by == std::string_view::npos) return false;
  out.terminal = text.substr(0, by);
  out.user = text.substr(by + 4);
  out.user = out.user.substr(0, out.user.find(' '));
  return true;
}

}  // namespace

std::optional<AuthLine> parse_auth_line(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  AuthLine out{.program = "sshd"};
  // The tag ("sshd[123]: ") is the first one: whatever a user name holds comes after it.
  std::size_t tag = std::string_view::npos;
  for (const std::string_view program :
       {std::string_view("sshd"), std::string_view("sshd-session"), std::string_view("login")}) {
    for (auto at = line.find(program); at != std::string_view::npos; at = line.find(program, at + 1)) {
      auto rest = line.substr(at + program.size());
      const bool starts_word = at == 0 || line[at - 1] == ' ';
      if (!starts_word || (!rest.starts_with('[') && !rest.starts_with(": "))) continue;
      if (tag != std::string_view::npos && at > tag) break;
      const auto colon = rest.find(": ");
      if (colon == std::string_view::npos) break;
      out.pid = rest.starts_with('[') ? number<std::uint32_t>(rest.substr(1, rest.find(']') - 1)).value_or(0) : 0;
      out.program = program == "login" ? program : std::string_view("sshd");
      tag = at;
      break;
    }
  }
  if (tag == std::string_view::npos) return parse_sshd(line, out) ? std::optional(out) : std::nullopt;
  const auto text = line.substr(line.find(": ", tag) + 2);
  const bool counts = out.program == "login" ? parse_login(text, out) : parse_sshd(text, out);
  return counts ? std::optional(out) : std::nullopt;
}

}  // namespace picket::agent
