#include "authenticator.h"

#include "base/core/random.h"
#include "net/rate_limit.h"

namespace picket::api {
namespace {

constexpr Duration kTouchEvery = Duration::minutes(5);  // how exactly a session's last use is known
constexpr std::string_view kNoSecret = "none";          // stored for users that cannot sign in

std::unexpected<ApiError> internal() { return std::unexpected(ApiError{.code = "internal"}); }

bool can_sign_in(const state::User& user) { return user.secret_hash != kNoSecret; }

}  // namespace

int AttemptLimit::wait_s(std::string_view address, Duration now) {
  const std::scoped_lock lock(mutex_);
  const auto found = sources_.find(net::source_prefix(address));
  if (found == sources_.end() || found->second.count < kFailuresMax) return 0;
  const Duration left = found->second.first + kWindow - now;
  return left.us > 0 ? static_cast<int>(left.whole_seconds()) + 1 : 0;
}

void AttemptLimit::failed(std::string_view address, Duration now) {
  const std::scoped_lock lock(mutex_);
  if (sources_.size() >= kSourcesMax) forget_old(now);
  // Still full: an attacker with thousands of addresses. Forgetting someone is the lesser evil to forgetting to count.
  if (sources_.size() >= kSourcesMax) sources_.erase(sources_.begin());
  Failures& failures = sources_[std::string(net::source_prefix(address))];
  if (failures.count == 0 || now - failures.first >= kWindow) failures = {now, 0};
  ++failures.count;
}

void AttemptLimit::forget_old(Duration now) {
  std::erase_if(sources_, [now](const auto& entry) { return now - entry.second.first >= kWindow; });
}

Authenticator::Authenticator(state::Users& users, const Clock& clock, const ScryptCost& cost)
    : users_(users),
      clock_(clock),
      cost_(cost),
      nobody_(hash_secret(random_token(), cost).value_or("")),
      cache_key_(32) {
  random_bytes(cache_key_);
}

std::optional<state::User> Authenticator::from_cache(std::string_view name, std::string_view secret) {
  const std::string text = std::string(name) + ":" + std::string(secret);
  const Sha256 key = hmac_sha256(cache_key_, as_bytes(text));
  std::string proven;
  {
    const std::scoped_lock lock(cache_mutex_);
    const auto found = cache_.find(key);
    if (found == cache_.end()) return std::nullopt;
    proven = found->second;
  }
  auto user = users_.find(name);
  if (!user || user->secret_hash != proven) return std::nullopt;
  return *std::move(user);
}

std::expected<std::optional<state::User>, ApiError> Authenticator::check(std::string_view name, std::string_view secret,
                                                                         std::string_view address) {
  if (auto known = from_cache(name, secret)) return known;
  const Duration now = clock_.monotonic();
  if (const int wait = limit_.wait_s(address, now); wait > 0) {
    return std::unexpected(ApiError{.code = "too_many_attempts", .retry_after_s = wait});
  }
  auto user = users_.find(name);
  if (!user && user.error().code != Errc::not_found) return internal();
  const bool usable = user && can_sign_in(*user);
  const bool right = verify_secret(secret, usable ? user->secret_hash : nobody_);
  if (!usable || !right) {
    limit_.failed(address, now);
    return std::nullopt;
  }
  const std::string text = std::string(name) + ":" + std::string(secret);
  const std::scoped_lock lock(cache_mutex_);
  if (cache_.size() >= kCacheMax) cache_.clear();
  cache_[hmac_sha256(cache_key_, as_bytes(text))] = user->secret_hash;
  return *std::move(user);
}

std::expected<Authenticator::SignedIn, ApiError> Authenticator::sign_in(std::string_view name, std::string_view secret,
                                                                        std::string_view address) {
  auto user = check(name, secret, address);
  if (!user) return std::unexpected(user.error());
  if (!*user) return std::unexpected(ApiError{.code = "sign_in_failed"});
  const Timestamp now = clock_.now();
  SignedIn out{.user = **std::move(user), .token = random_token(), .csrf = random_token()};
  if (!users_.remove_expired(now)) return internal();
  const state::Token token{.hash = token_hash(out.token),
                           .kind = state::TokenKind::session,
                           .user = out.user.name,
                           .csrf = out.csrf,
                           .label = std::string(address),
                           .created = now,
                           .expires = now + kSessionIdle};
  if (!users_.add_token(token) || !users_.signed_in(out.user.name, now)) return internal();
  return out;
}

std::expected<Caller, ApiError> Authenticator::caller_of(const state::Token& token) {
  const auto user = users_.find(token.user);
  if (!user) {
    if (user.error().code != Errc::not_found) return internal();
    return std::unexpected(ApiError{.code = "not_signed_in"});
  }
  return Caller{.user = user->name,
                .role = user->role,
                .token_hash = token.hash,
                .csrf = token.csrf,
                .bearer = token.kind == state::TokenKind::api};
}

// A session ends 12 hours after its last use: it is stored again with a later end, now and then.
void Authenticator::keep_session(const state::Token& token) {
  const Timestamp now = clock_.now();
  const Timestamp end = std::min(now + kSessionIdle, token.created + kSessionLife);
  if (end - token.expires < kTouchEvery) return;
  state::Token later = token;
  later.expires = end;
  (void)users_.extend_token(later.hash, later.expires);
}

std::expected<std::optional<Caller>, ApiError> Authenticator::from_bearer(std::string_view token,
                                                                          std::string_view address) {
  const auto refused = std::unexpected(ApiError{.code = "not_signed_in"});
  if (const std::size_t colon = token.find(':'); colon != std::string_view::npos) {
    const auto user = check(token.substr(0, colon), token.substr(colon + 1), address);
    if (!user) return std::unexpected(user.error());
    if (!*user) return refused;
    return Caller{.user = (*user)->name, .role = (*user)->role, .bearer = true};
  }
  const auto found = users_.find_token(token_hash(token), clock_.now());
  if (!found && found.error().code != Errc::not_found) return internal();
  if (!found || found->kind != state::TokenKind::api) return refused;
  return caller_of(*found);
}

std::expected<std::optional<Caller>, ApiError> Authenticator::identify(const Request& request) {
  const std::string_view authorization = request.header("authorization");
  if (!authorization.empty()) {
    constexpr std::string_view kScheme = "Bearer ";
    if (authorization.size() <= kScheme.size() ||
        !equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) {
      return std::unexpected(ApiError{.code = "not_signed_in"});
    }
    return from_bearer(authorization.substr(kScheme.size()), request.address);
  }
  const std::string_view session = cookie(request, kSessionCookie);
  if (session.empty()) return std::nullopt;
  const auto found = users_.find_token(token_hash(session), clock_.now());
  if (!found && found.error().code != Errc::not_found) return internal();
  if (!found || found->kind != state::TokenKind::session) return std::unexpected(ApiError{.code = "not_signed_in"});
  keep_session(*found);
  return caller_of(*found);
}

}  // namespace picket::api
