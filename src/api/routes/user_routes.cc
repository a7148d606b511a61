#include <algorithm>
#include <charconv>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "../json_body.h"
#include "../paging.h"
#include "base/core/json_writer.h"
#include "handlers.h"

namespace picket::api {
namespace {

constexpr std::size_t kSecretBytesMin = 12;
constexpr std::size_t kSecretBytesMax = 1024;
constexpr std::size_t kAuditScanMax = 20'000;  // records looked at for one page
constexpr std::size_t kAuditStep = 500;

bool is_user_name(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 64 && alphanumeric(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

void write_user(JsonWriter& out, const state::User& user) {
  out.begin_object()
      .key("user")
      .value(user.name)
      .key("role")
      .value(to_string(user.role))
      .key("created")
      .value(user.created);
  if (user.last_sign_in) out.key("last_sign_in").value(*user.last_sign_in);
  out.end_object();
}

struct AuditBody {
  std::string user;
  std::string address;
  std::string target;
  std::string detail;  // the other members, as JSON
};

AuditBody read_audit(const state::OutboxRecord& record) {
  AuditBody out{.target = record.device_id};
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(record.body, error);
  if (error || !value.is_object()) return out;
  boost::json::object& members = value.get_object();
  const auto take = [&members](const char* name) {
    std::string text;
    if (const auto* member = members.if_contains(name); member != nullptr && member->is_string())
      text = member->get_string();
    members.erase(name);
    return text;
  };
  out.user = take("actor");
  out.address = take("source");
  members.erase("hub");
  if (const std::string module = take("module"); !module.empty()) out.target += "/" + module;
  if (out.target.empty()) out.target = take("user");
  if (out.target.empty()) out.target = take("alert");
  if (!members.empty()) out.detail = boost::json::serialize(members);
  return out;
}

void write_audit(JsonWriter& out, const state::OutboxRecord& record, const AuditBody& body) {
  out.begin_object().key("time").value(record.created).key("user").value(body.user);
  if (!body.address.empty()) out.key("address").value(body.address);
  out.key("action").value(record.kind);
  if (!body.target.empty()) out.key("target").value(body.target);
  if (!body.detail.empty()) out.key("detail").raw(body.detail);
  out.end_object();
}

}  // namespace

Answer list_users(Call& call) {
  const auto users = call.parts.services.users.list();
  if (!users) return api_error(users.error(), "users");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::User& user : *users) write_user(out, user);
  return Response::json(out.end_array().end_object().take());
}

Answer create_user(Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"user", "role", "secret"}));
  API_TRY(const auto name, body.required_text("user", 64));
  API_TRY(const auto role_text, body.required_text("role", 32));
  API_TRY(const auto given, body.text("secret", kSecretBytesMax));
  if (!is_user_name(name))
    return std::unexpected(invalid(
        "user", "Lower-case letters, digits, dot, dash and underscore; at most 64; begins with a letter or digit."));
  const auto role = state::role_from(role_text);
  if (!role) return std::unexpected(invalid("role", "This must be Reader, Contributor or Admin."));
  if (given && given->size() < kSecretBytesMin)
    return std::unexpected(invalid("secret", "This must be at least 12 characters long."));
  const std::string secret = given ? *given : random_secret();
  auto hash = hash_secret(secret, call.parts.scrypt);
  if (!hash) return api_error(hash.error(), "secret");
  const state::User user{.name = name,
                         .role = *role,
                         .secret_hash = *std::move(hash),
                         .created = call.now(),
                         .secret_changed = call.now()};
  if (const auto added = call.parts.services.users.add(user, call.actor()); !added)
    return api_error(added.error(), "user");
  JsonWriter out;
  out.begin_object().key("user");
  write_user(out, user);
  if (!given) out.key("secret").value(secret);
  return Response::json(out.end_object().take(), 201);
}

Answer delete_user(Call& call) {
  const auto removed = call.parts.services.users.remove(call.path_values[0], call.actor(), call.now());
  if (removed) return Response::empty();
  if (removed.error().code == Errc::denied) return std::unexpected(ApiError{.code = "last_admin", .target = "user"});
  return api_error(removed.error(), "user");
}

Answer list_audit(Call& call) {
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto since, time_parameter(call, "since"));
  API_TRY(const auto user, text_parameter(call, "user", 128));
  API_TRY(const auto cursor, open_cursor(call));
  std::int64_t before = 0;
  std::from_chars(cursor.data(), cursor.data() + cursor.size(), before);
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  std::size_t written = 0;
  bool more = true;
  for (std::size_t scanned = 0; more && written < limit && scanned < kAuditScanMax;) {
    const auto records = call.parts.services.outbox.history(before, kAuditStep);
    if (!records) return api_error(records.error(), "audit");
    more = records->size() == kAuditStep;
    for (const state::OutboxRecord& record : *records) {
      if (since && record.created < *since) more = false;
      if (!more && since && record.created < *since) break;
      if (written == limit) {
        more = true;
        break;
      }
      before = record.id;
      ++scanned;
      const AuditBody body = read_audit(record);
      if (!user.empty() && body.user != user) continue;
      write_audit(out, record, body);
      ++written;
    }
  }
  out.end_array();
  if (more && before > 0) out.key("next_cursor").value(seal_cursor(call, std::to_string(before)));
  return Response::json(out.end_object().take());
}

}  // namespace picket::api
