#include "state/users.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {
namespace {

constexpr std::string_view kUserColumns =
    "SELECT name, role, secret_hash, created, secret_changed, last_sign_in FROM user ";

Result<User> user_from(const Statement& row) {
  const auto role = role_from(row.text(1));
  if (!role) return fail(Errc::malformed, "user.role");
  User out{row.text(0), *role, row.text(2), row.time(3), row.time(4), std::nullopt};
  if (row.integer(5) != 0) out.last_sign_in = row.time(5);
  return out;
}

Result<User> find_in(sqlite3* db, std::string_view name) {
  TRY(auto statement, Statement::prepare(db, std::string(kUserColumns) + "WHERE name = ?"));
  TRY(const bool found, statement.bind(name).step());
  if (!found) return fail(Errc::not_found, "user");
  return user_from(statement);
}

Result<> audit(sqlite3* db, std::string_view kind, std::string_view user, const Actor& actor, Timestamp now) {
  JsonWriter json = audit_of(actor);
  json.key("user").value(user);
  return Outbox::add(db, kind, "", json.end_object().take(), now);
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::reader:
      return "Reader";
    case Role::contributor:
      return "Contributor";
    case Role::admin:
      return "Admin";
  }
  return "Reader";
}

std::optional<Role> role_from(std::string_view text) {
  for (const Role role : {Role::reader, Role::contributor, Role::admin}) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

Result<> Users::add(const User& user, const Actor& actor) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "INSERT INTO user (name, role, secret_hash, created, secret_changed) "
                                           "VALUES (?,?,?,?,?)"));
    auto inserted =
        statement.bind(user.name, to_string(user.role), user.secret_hash, user.created, user.secret_changed).run();
    if (!inserted && inserted.error().code == Errc::exists) return fail(Errc::exists, "user");
    TRY_VOID(std::move(inserted));
    return audit(db, "user.create", user.name, actor, user.created);
  });
}

Result<> Users::set_secret(std::string_view name, std::string_view secret_hash, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(find_in(db, name));
    TRY(auto statement, Statement::prepare(db, "UPDATE user SET secret_hash = ?, secret_changed = ? WHERE name = ?"));
    TRY_VOID(statement.bind(secret_hash, now, name).run());
    return audit(db, "user.secret", name, actor, now);
  });
}

Result<> Users::signed_in(std::string_view name, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "UPDATE user SET last_sign_in = ? WHERE name = ?"));
    return statement.bind(now, name).run();
  });
}

Result<> Users::remove(std::string_view name, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(const User user, find_in(db, name));
    if (user.role == Role::admin) {
      TRY(auto others, Statement::prepare(db, "SELECT count(*) FROM user WHERE role = 'Admin' AND name <> ?"));
      TRY_VOID(others.bind(name).step());
      if (others.integer(0) == 0) return fail(Errc::denied, "user.last_admin");
    }
    TRY(auto statement, Statement::prepare(db, "DELETE FROM user WHERE name = ?"));
    TRY_VOID(statement.bind(name).run());
    return audit(db, "user.delete", name, actor, now);
  });
}

Result<User> Users::find(std::string_view name) const {
  Result<User> out = fail(Errc::not_found, "user");
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    out = find_in(db, name);
    return {};
  }));
  return out;
}

Result<std::vector<User>> Users::list() const {
  std::vector<User> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, std::string(kUserColumns) + "ORDER BY name"));
    for (;;) {
      TRY(const bool row, statement.step());
      if (!row) return {};
      TRY(User user, user_from(statement));
      out.push_back(std::move(user));
    }
  }));
  return out;
}

Result<> Users::add_token(const Token& token) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "INSERT INTO token (hash, kind, user, csrf, label, created, expires) "
                                           "VALUES (?,?,?,?,?,?,?)"));
    return statement
        .bind(token.hash, static_cast<std::int64_t>(token.kind), token.user, token.csrf, token.label, token.created,
              token.expires)
        .run();
  });
}

Result<Token> Users::find_token(std::string_view hash, Timestamp now) const {
  Result<Token> out = fail(Errc::not_found, "token");
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT hash, kind, user, csrf, label, created, expires FROM token "
                                     "WHERE hash = ? AND expires > ?"));
    TRY(const bool found, row.bind(hash, now).step());
    if (!found) return {};
    out = Token{row.text(0), static_cast<TokenKind>(row.integer(1)), row.text(2), row.text(3), row.text(4), row.time(5),
                row.time(6)};
    return {};
  }));
  return out;
}

Result<> Users::extend_token(std::string_view hash, Timestamp expires) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "UPDATE token SET expires = ? WHERE hash = ?"));
    return statement.bind(expires, hash).run();
  });
}

Result<> Users::remove_token(std::string_view hash) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM token WHERE hash = ?"));
    return statement.bind(hash).run();
  });
}

Result<> Users::remove_tokens_of(std::string_view user, std::string_view except) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM token WHERE user = ? AND hash <> ?"));
    return statement.bind(user, except).run();
  });
}

Result<> Users::remove_expired(Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM token WHERE expires <= ?"));
    return statement.bind(now).run();
  });
}

}  // namespace picket::state
