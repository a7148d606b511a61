// Who is calling: session cookies, bearer tokens, and user:secret.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/secrets.h"
#include "base/core/crypto.h"
#include "http.h"
#include "state/users.h"

namespace picket::api {

inline constexpr Duration kSessionIdle = Duration::hours(12);
inline constexpr Duration kSessionLife = Duration::days(7);  ///< However much it is used.
inline constexpr std::string_view kSessionCookie = "picket_session";

struct Caller {
  std::string user;
  state::Role role = state::Role::reader;
  std::string token_hash;  ///< Of the session or the API token; empty for user:secret.
  std::string csrf;        ///< Sessions only.
  bool bearer = false;
};

/// Failed attempts by source address; a table that cannot grow. Any thread.
class AttemptLimit {
 public:
  static constexpr std::size_t kFailuresMax = 10;
  static constexpr Duration kWindow = Duration::minutes(5);
  static constexpr std::size_t kSourcesMax = 4096;

  /// Seconds to wait; 0: go on.
  [[nodiscard]] int wait_s(std::string_view address, Duration now);
  void failed(std::string_view address, Duration now);

 private:
  struct Failures {
    Duration first{};
    std::size_t count = 0;
  };
  void forget_old(Duration now);
  std::mutex mutex_;
  std::map<std::string, Failures, std::less<>> sources_;
};

/// Checks credentials. Takes as long for an unknown user as for a wrong secret. Any thread; call it from a worker.
class Authenticator {
 public:
  Authenticator(state::Users& users, const Clock& clock, const ScryptCost& cost);

  struct SignedIn {
    state::User user;
    std::string token;  ///< For the cookie; only its hash is stored.
    std::string csrf;
  };
  /// Errors: sign_in_failed, too_many_attempts, internal.
  std::expected<SignedIn, ApiError> sign_in(std::string_view user, std::string_view secret, std::string_view address);
  /// The caller of a request; nullopt: it brings no credentials. Errors: not_signed_in, too_many_attempts, internal.
  std::expected<std::optional<Caller>, ApiError> identify(const Request& request);
  /// nullopt: the secret is wrong or there is no such user.
  std::expected<std::optional<state::User>, ApiError> check(std::string_view user, std::string_view secret,
                                                            std::string_view address);

 private:
  std::expected<Caller, ApiError> caller_of(const state::Token& token);
  std::expected<std::optional<Caller>, ApiError> from_bearer(std::string_view token, std::string_view address);
  std::optional<state::User> from_cache(std::string_view user, std::string_view secret);
  void keep_session(const state::Token& token);

  static constexpr std::size_t kCacheMax = 64;
  state::Users& users_;
  const Clock& clock_;
  ScryptCost cost_;
  std::string nobody_;  ///< Hash that is checked for unknown users.
  AttemptLimit limit_;

  /// Secrets that were right: key -> stored hash they were right for. A script that sends user:secret with each call
  /// would otherwise pay scrypt each time. Keyed with a key of this run, and void as soon as the stored hash changes.
  std::mutex cache_mutex_;
  Buffer cache_key_;
  std::map<Sha256, std::string> cache_;
};

}  // namespace picket::api
