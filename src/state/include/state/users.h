// Users, their roles, and what they sign in with. Secrets are stored hashed only; hashing is the caller's (api).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

enum class Role { reader, contributor, admin };
std::string_view to_string(Role role);  ///< "Reader", "Contributor", "Admin"
std::optional<Role> role_from(std::string_view text);

struct User {
  std::string name;
  Role role = Role::reader;
  std::string secret_hash;  ///< e.g. "scrypt$N$r$p$salt$hash"
  Timestamp created;
  Timestamp secret_changed;
  std::optional<Timestamp> last_sign_in;
};

enum class TokenKind { session, api };

/// A bearer: a browser session or an API token. `hash` is the SHA-256 hex of the token's random text.
struct Token {
  std::string hash;
  TokenKind kind = TokenKind::session;
  std::string user;
  std::string csrf;  ///< Sessions only.
  std::string label;
  Timestamp created;
  Timestamp expires;
};

class Users {
 public:
  explicit Users(Database& database) : database_(database) {}

  /// Errors: exists.
  Result<> add(const User& user, const Actor& actor);
  Result<> set_secret(std::string_view name, std::string_view secret_hash, const Actor& actor, Timestamp now);
  Result<> signed_in(std::string_view name, Timestamp now);
  /// Also removes the user's tokens. Errors: not_found; denied for the last administrator.
  Result<> remove(std::string_view name, const Actor& actor, Timestamp now);
  Result<User> find(std::string_view name) const;
  Result<std::vector<User>> list() const;

  Result<> add_token(const Token& token);
  /// Errors: not_found (also when expired at `now`).
  Result<Token> find_token(std::string_view hash, Timestamp now) const;
  /// A session that is used lives longer.
  Result<> extend_token(std::string_view hash, Timestamp expires);
  Result<> remove_token(std::string_view hash);
  /// Removes the tokens of a user, but the one with hash `except`.
  Result<> remove_tokens_of(std::string_view user, std::string_view except);
  Result<> remove_expired(Timestamp now);

 private:
  Database& database_;
};

}  // namespace picket::state
