#include <algorithm>

#include <unistd.h>

#include "../json_body.h"
#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "handlers.h"

namespace picket::api {
namespace {

constexpr std::size_t kUserBytesMax = 64;
constexpr std::size_t kSecretBytesMax = 1024;
constexpr std::size_t kSecretBytesMin = 12;

std::string session_json(std::string_view user, state::Role role, std::string_view csrf) {
  JsonWriter out;
  out.begin_object().key("user").value(user).key("role").value(to_string(role));
  if (!csrf.empty()) out.key("csrf_token").value(csrf);
  return out.end_object().take();
}

std::string cookie_text(std::string_view value, std::string_view more) {
  return std::string(kSessionCookie)
      .append("=")
      .append(value)
      .append("; HttpOnly; Secure; SameSite=Strict; Path=/api")
      .append(more);
}

void record(Call& call, std::string_view kind, std::string_view user) {
  JsonWriter body;
  body.begin_object().key("actor").value(user).key("source").value(call.request.address).end_object();
  const auto recorded = call.parts.services.outbox.record(kind, "", body.take(), call.now());
  if (!recorded) log::error("api", "{} was not recorded: {}", kind, describe(recorded.error()));
}

}  // namespace

// Whatever session the browser brings is ended: nobody can plant one that a victim then signs in to.
Answer sign_in(Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"user", "secret"}));
  API_TRY(const auto user, body.required_text("user", kUserBytesMax));
  API_TRY(const auto secret, body.required_text("secret", kSecretBytesMax));
  const auto signed_in = call.parts.authenticator.sign_in(user, secret, call.request.address);
  if (!signed_in) {
    if (signed_in.error().code == "sign_in_failed") record(call, "session.denied", user);
    return std::unexpected(signed_in.error());
  }
  if (const auto old = cookie(call.request, kSessionCookie); !old.empty()) {
    if (const auto removed = call.parts.services.users.remove_token(token_hash(old)); !removed)
      return api_error(removed.error(), "session");
  }
  record(call, "session.start", user);
  Response response = Response::json(session_json(signed_in->user.name, signed_in->user.role, signed_in->csrf));
  response.headers.emplace_back("Set-Cookie", cookie_text(signed_in->token, ""));
  return response;
}

Answer sign_out(Call& call) {
  Response response = Response::empty();
  if (!call.caller.bearer) {
    if (const auto removed = call.parts.services.users.remove_token(call.caller.token_hash); !removed)
      return api_error(removed.error(), "session");
    response.headers.emplace_back("Set-Cookie", cookie_text("", "; Max-Age=0"));
  }
  return response;
}

Answer get_me(Call& call) { return Response::json(session_json(call.caller.user, call.caller.role, call.caller.csrf)); }

Answer change_own_secret(Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"secret", "new_secret"}));
  API_TRY(const auto secret, body.required_text("secret", kSecretBytesMax));
  API_TRY(const auto new_secret, body.required_text("new_secret", kSecretBytesMax));
  if (new_secret.size() < kSecretBytesMin)
    return std::unexpected(invalid("new_secret", "This must be at least 12 characters long."));
  const auto user = call.parts.authenticator.check(call.caller.user, secret, call.request.address);
  if (!user) return std::unexpected(user.error());
  if (!*user)
    return std::unexpected(
        ApiError{.code = "sign_in_failed", .message = "The present secret is wrong.", .target = "secret"});
  const auto hash = hash_secret(new_secret, call.parts.scrypt);
  if (!hash) return api_error(hash.error(), "secret");
  const Services& services = call.parts.services;
  if (const auto set = services.users.set_secret(call.caller.user, *hash, call.actor(), call.now()); !set)
    return api_error(set.error(), "user");
  if (const auto ended = services.users.remove_tokens_of(call.caller.user, call.caller.token_hash); !ended)
    return api_error(ended.error(), "session");
  if (call.caller.user == kFirstUser && !services.secrets_directory.empty()) {
    ::unlink((services.secrets_directory + "/" + std::string(kFirstSecretFile))
                 .c_str());  // what it holds is not true any more
  }
  return Response::empty();
}

}  // namespace picket::api
