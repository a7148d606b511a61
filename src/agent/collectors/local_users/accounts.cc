#include "local_users/accounts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/core/time.h"

namespace picket::agent {
namespace {

template <std::size_t N>
std::optional<std::array<std::string_view, N>> split(std::string_view line) {
  std::array<std::string_view, N> out;
  for (std::size_t i = 0; i < N; ++i) {
    const auto end = line.find(':');
    if ((end == std::string_view::npos) != (i + 1 == N)) return std::nullopt;
    out[i] = line.substr(0, end);
    line.remove_prefix(std::min(out[i].size() + 1, line.size()));
  }
  return out;
}

std::optional<std::uint32_t> id_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::int64_t days_of(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 0 ? value : -1;
}

/// Calls `each` with every line that is no comment and not empty; false from it means malformed.
template <class Each>
std::uint64_t for_each_line(std::string_view text, Each each) {
  std::uint64_t malformed = 0;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    // "+" and "-" lines ask for NIS: no account of this device.
    if (line.front() == '+' || line.front() == '-') continue;
    if (!each(line)) ++malformed;
  }
  return malformed;
}

bool usable_name(std::string_view name) { return !name.empty() && name.size() <= Accounts::kFieldMax; }

}  // namespace

std::string_view to_string(PasswordState state) {
  constexpr std::string_view names[] = {"", "set", "locked", "empty"};
  return names[static_cast<std::size_t>(state)];
}

PasswordState password_state(std::string_view field) {
  if (field.empty()) return PasswordState::empty;
  // crypt(3): no hash has fewer than 13 characters, so nothing that is typed matches.
  if (field.front() == '!' || field.front() == '*' || field.size() < 13) return PasswordState::locked;
  return PasswordState::set;
}

void Accounts::read_passwd(std::string_view text) {
  accounts_.clear();
  malformed_ += for_each_line(text, [this](std::string_view line) {
    const auto fields = split<7>(line);
    if (!fields) return false;
    const auto& [name, password, user, group, comment, home, shell] = *fields;
    const auto user_id = id_of(user), group_id = id_of(group);
    if (!user_id || !group_id || !usable_name(name)) return false;
    if (accounts_.size() >= kAccountsMax) {
      ++past_bounds_;
      return true;
    }
    accounts_.push_back({.name = std::string(name),
                         .home = std::string(home.substr(0, kFieldMax)),
                         .shell = std::string(shell.substr(0, kFieldMax)),
                         .user = *user_id,
                         .group = *group_id,
                         .password = password == "x" ? PasswordState::unknown : password_state(password)});
    return true;
  });
}

void Accounts::read_group(std::string_view text) {
  groups_.clear();
  members_ = 0;
  malformed_ += for_each_line(text, [this](std::string_view line) {
    const auto fields = split<4>(line);
    if (!fields) return false;
    auto members = (*fields)[3];
    const auto id = id_of((*fields)[2]);
    if (!id || !usable_name((*fields)[0])) return false;
    if (groups_.size() >= kGroupsMax) {
      ++past_bounds_;
      return true;
    }
    Group& group = groups_.emplace_back(Group{.name = std::string((*fields)[0]), .id = *id});
    while (!members.empty()) {
      const auto member = members.substr(0, members.find(','));
      members.remove_prefix(std::min(member.size() + 1, members.size()));
      if (!usable_name(member)) continue;
      if (members_ >= kMembersMax) {
        ++past_bounds_;
        return true;
      }
      group.members.emplace_back(member);
      ++members_;
    }
    return true;
  });
}

void Accounts::read_shadow(std::string_view text) {
  malformed_ += for_each_line(text, [this](std::string_view line) {
    const auto fields = split<9>(line);
    if (!fields) return false;
    const auto account = std::ranges::find(accounts_, (*fields)[0], &Account::name);
    if (account == accounts_.end()) return true;
    if (account->password == PasswordState::unknown) account->password = password_state((*fields)[1]);
    account->password_changed_days = days_of((*fields)[2]);
    account->expires_days = days_of((*fields)[7]);
    return true;
  });
}

Accounts::Groups Accounts::groups_of(const Account& account) const {
  Groups out{.ids = std::to_string(account.group)};
  const auto own = std::ranges::find(groups_, account.group, &Group::id);
  if (own != groups_.end()) out.names = own->name;
  for (const Group& group : groups_) {
    if (group.id == account.group || std::ranges::find(group.members, account.name) == group.members.end()) continue;
    out.ids += ';' + std::to_string(group.id);
    out.names += ';' + group.name;
  }
  return out;
}

std::string date_text(std::int64_t days) {
  if (days < 0 || days > kTimestampMax.us / Duration::days(1).us) return {};
  return format_rfc3339(Timestamp{} + Duration::days(days)).substr(0, 10);
}

}  // namespace picket::agent
