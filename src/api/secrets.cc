#include "api/secrets.h"

#include <array>
#include <charconv>
#include <vector>

#include <openssl/evp.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/random.h"

namespace picket::api {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::uint64_t kMemoryMax = 256U << 20;  // a stored hash may not ask for more

using Hash = std::array<std::byte, kHashBytes>;

Result<Hash> scrypt(std::string_view secret, Bytes salt, const ScryptCost& cost) {
  Hash out{};
  const int good =
      EVP_PBE_scrypt(secret.data(), secret.size(), reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                     cost.n, cost.r, cost.p, kMemoryMax, reinterpret_cast<unsigned char*>(out.data()), out.size());
  if (good != 1) return fail(Errc::internal, "api.scrypt");
  return out;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find('$');
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

bool number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Result<std::string> hash_secret(std::string_view secret, const ScryptCost& cost) {
  std::array<std::byte, kSaltBytes> salt{};
  random_bytes(salt);
  TRY(const Hash hash, scrypt(secret, salt, cost));
  return "scrypt$" + std::to_string(cost.n) + "$" + std::to_string(cost.r) + "$" + std::to_string(cost.p) + "$" +
         to_base64(salt) + "$" + to_base64(hash);
}

bool verify_secret(std::string_view secret, std::string_view hash) {
  const auto parts = split(hash);
  ScryptCost cost;
  if (parts.size() != 6 || parts[0] != "scrypt" || !number(parts[1], cost.n) || !number(parts[2], cost.r) ||
      !number(parts[3], cost.p)) {
    return false;
  }
  const auto salt = from_base64(parts[4]);
  const auto expected = from_base64(parts[5]);
  if (!salt || !expected) return false;
  const auto actual = scrypt(secret, *salt, cost);
  return actual && equal_constant_time(*actual, *expected);
}

std::string random_secret() {
  // 31 characters; bytes from 248 on would favour some of them.
  constexpr std::string_view kAlphabet = "23456789abcdefghjkmnpqrstuvwxyz";
  constexpr std::size_t kGroups = 4, kGroupLength = 4, kUnbiased = 256 / kAlphabet.size() * kAlphabet.size();
  std::string out;
  while (out.size() < kGroups * (kGroupLength + 1) - 1) {
    if (out.size() % (kGroupLength + 1) == kGroupLength) out.push_back('-');
    std::array<std::byte, 1> byte{};
    random_bytes(byte);
    const auto value = static_cast<std::size_t>(byte[0]);
    if (value < kUnbiased)
      out.push_back(kAlphabet[value % kAlphabet.size()]);
    else if (out.ends_with('-'))
      out.pop_back();
  }
  return out;
}

std::string random_token() {
  std::array<std::byte, 32> bytes{};
  random_bytes(bytes);
  return to_hex(bytes);
}

std::string token_hash(std::string_view token) { return to_hex(sha256(as_bytes(token))); }

namespace {

constexpr std::size_t kTokenFileBytesMax = 4096;
const state::Actor kInstallation{.user = "picket", .source = ""};

// Files are written before what they belong to exists: a crash in between makes both anew, and never leaves a user
// whose secret nobody knows.
Result<bool> make_first_user(state::Users& users, const std::string& directory, const ScryptCost& cost, Timestamp now) {
  TRY(const auto existing, users.list());
  if (!existing.empty()) return false;  // an admin that was removed on purpose does not come back
  const std::string secret = random_secret();
  TRY(std::string hash, hash_secret(secret, cost));
  TRY_VOID(replace_file(directory + "/" + std::string(kFirstSecretFile), as_bytes(secret + "\n"), 0600));
  TRY_VOID(users.add({.name = std::string(kFirstUser),
                      .role = state::Role::admin,
                      .secret_hash = std::move(hash),
                      .created = now,
                      .secret_changed = now},
                     kInstallation));
  return true;
}

Result<> make_local_token(state::Users& users, const std::string& directory, Timestamp now) {
  const std::string path = directory + "/cli-token";
  if (const auto content = read_file(path, kTokenFileBytesMax)) {
    const std::string_view token = std::string_view(*content).substr(0, content->find('\n'));
    if (users.find_token(token_hash(token), now)) return {};
  }
  const auto user = users.find(kLocalUser);
  if (!user && user.error().code != Errc::not_found) return std::unexpected(user.error());
  if (!user) {
    TRY_VOID(users.add({.name = std::string(kLocalUser),
                        .role = state::Role::admin,
                        .secret_hash = "none",
                        .created = now,
                        .secret_changed = now},
                       kInstallation));
  }
  const std::string token = random_token();
  TRY_VOID(replace_file(path, as_bytes(token + "\n"), 0600));
  return users.add_token({.hash = token_hash(token),
                          .kind = state::TokenKind::api,
                          .user = std::string(kLocalUser),
                          .label = "local command line",
                          .created = now,
                          .expires = kTimestampMax});
}

}  // namespace

Result<bool> make_first_secrets(state::Users& users, const std::string& directory, const ScryptCost& cost,
                                Timestamp now) {
  TRY(const bool made, make_first_user(users, directory, cost, now));
  TRY_VOID(make_local_token(users, directory, now));
  return made;
}

}  // namespace picket::api
