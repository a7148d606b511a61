#include "kusto_retention.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <boost/json.hpp>

#include "kql/native_functions.h"
#include "kql/value.h"
#include "kusto_command_parts.h"
#include "table_retention.h"

namespace picket::api {
namespace {

namespace json = boost::json;

struct Policy {
  std::optional<std::int64_t> days;  ///< nullopt: not said.
  bool recoverable = false;
};

std::unexpected<ApiError> syntax(std::string message) {
  return std::unexpected(ApiError{.code = "query_syntax", .message = std::move(message), .target = "query"});
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n;";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  while (!text.empty() && kBlank.contains(text.back())) text.remove_suffix(1);
  return text;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && equal_ignoring_case(text.substr(0, word.size()), word) &&
         (text.size() == word.size() || !std::isalnum(static_cast<unsigned char>(text[word.size()])));
}

/// What stands behind `policy retention`.
std::string_view behind_policy(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!starts_with_word(text.substr(at), "policy")) continue;
    const std::string_view rest = trim(text.substr(at + std::string_view("policy").size()));
    if (starts_with_word(rest, "retention")) return trim(rest.substr(std::string_view("retention").size()));
  }
  return {};
}

std::expected<std::int64_t, ApiError> days_of(std::string_view period) {
  for (const std::string_view name : {"time(", "timespan("}) {
    if (period.starts_with(name) && period.ends_with(')'))
      period = period.substr(name.size(), period.size() - name.size() - 1);
  }
  const auto ticks = kql::parse_timespan(period);
  if (!ticks || *ticks % kql::kTicksPerDay != 0 || *ticks < kql::kTicksPerDay ||
      *ticks > kRetentionDaysMax * kql::kTicksPerDay)
    return syntax("'" + std::string(period) + "' is no time of 1 to 36500 whole days, such as 30d or 30.00:00:00.");
  return *ticks / kql::kTicksPerDay;
}

std::expected<bool, ApiError> recoverable(std::string_view word) {
  if (equal_ignoring_case(word, "disabled") || word == "1") return false;
  if (equal_ignoring_case(word, "enabled") || word == "0") return true;
  return syntax("Recoverability is Enabled or Disabled.");
}

/// The text of a literal: "…" and '…' with backslashes, @'…' without, ```…```.
std::optional<std::string> literal(std::string_view text) {
  constexpr std::string_view kFence = "```";
  if (text.starts_with(kFence) && text.ends_with(kFence) && text.size() >= 2 * kFence.size())
    return std::string(text.substr(kFence.size(), text.size() - 2 * kFence.size()));
  const bool verbatim = text.starts_with('@');
  if (verbatim) text.remove_prefix(1);
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"') || text.back() != text.front())
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!verbatim && text[at] == '\\' && at + 1 < text.size()) ++at;
    out += text[at];
  }
  return out;
}

std::expected<Policy, ApiError> parse_object(std::string_view text) {
  boost::system::error_code failed;
  const json::value value = json::parse(text, failed);
  if (failed || !value.is_object())
    return syntax("The policy must be an object: {\"SoftDeletePeriod\":\"30.00:00:00\"}.");
  Policy out;
  for (const auto& [name, member] : value.get_object()) {
    const std::string said = member.is_string() ? std::string(member.get_string()) : json::serialize(member);
    if (equal_ignoring_case(name, "SoftDeletePeriod")) {
      API_TRY(out.days, days_of(said));
    } else if (equal_ignoring_case(name, "Recoverability")) {
      API_TRY(out.recoverable, recoverable(said));
    } else {
      return syntax("A retention policy has SoftDeletePeriod and Recoverability, no '" + std::string(name) + "'.");
    }
  }
  return out;
}

/// softdelete = 30d recoverability = disabled
std::expected<Policy, ApiError> parse_pairs(std::string_view text) {
  Policy out;
  while (!text.empty()) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return syntax("Say softdelete = 30d, or a policy in quotes.");
    const std::string_view name = trim(text.substr(0, equals));
    text = trim(text.substr(equals + 1));
    const std::size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    const std::string_view value = text.substr(0, end);
    text = trim(text.substr(end));
    if (equal_ignoring_case(name, "softdelete")) {
      API_TRY(out.days, days_of(value));
    } else if (equal_ignoring_case(name, "recoverability")) {
      API_TRY(out.recoverable, recoverable(value));
    } else {
      return syntax("A retention policy has softdelete and recoverability, no '" + std::string(name) + "'.");
    }
  }
  return out;
}

std::expected<Policy, ApiError> parse_policy(std::string_view text) {
  if (const auto object = literal(text)) return parse_object(*object);
  return text.starts_with('{') ? parse_object(text) : parse_pairs(text);
}

std::expected<void, ApiError> alter(const Call& call, std::string_view table, std::string_view said) {
  API_TRY(const Policy policy, parse_policy(said));
  if (policy.recoverable)
    return std::unexpected(ApiError{.code = "query_unsupported",
                                    .message = "What retention removes cannot be brought back: recoverability is "
                                               "disabled.",
                                    .target = "query"});
  if (!policy.days) return syntax("Say for how long: softdelete = 30d.");
  API_TRY(const auto stored, find_stored_table(call, table));
  const std::int64_t kept = stored.retention.keep.us / Duration::days(1).us;
  const bool archived = stored.retention.archive.us > 0 && kept < *policy.days;
  return set_table_retention(call, table, archived ? kept : *policy.days, archived ? *policy.days - kept : 0);
}

}  // namespace

std::optional<std::expected<CommandTable, ApiError>> run_retention_command(const Call& call,
                                                                           const std::vector<std::string>& words,
                                                                           std::string_view text) {
  constexpr std::array<std::string_view, 5> kForm{"", "table", "", "policy", "retention"};
  if (words.size() < kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (!kForm[i].empty() && !equal_ignoring_case(words[i], kForm[i])) return std::nullopt;
  }
  const bool reset = equal_ignoring_case(words[0], ".delete");
  if (!reset && !equal_ignoring_case(words[0], ".alter") && !equal_ignoring_case(words[0], ".alter-merge"))
    return std::nullopt;
  if (call.caller.role != state::Role::admin)
    return std::unexpected(
        ApiError{.code = "denied", .message = "An Admin says how long tables are kept.", .target = "query"});
  const std::string& table = words[2];
  const auto done = reset ? reset_table_retention(call, table) : alter(call, table, behind_policy(text));
  if (!done) return std::unexpected(done.error());
  return show_table_policy(call, {.words = {".show", "table", table, "policy", "retention"}, .names = {}});
}

}  // namespace picket::api
