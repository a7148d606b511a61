// What people and programs sign in with: hashing, making, and the first ones of an installation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/users.h"

namespace picket::api {

/// Cost of scrypt (RFC 7914): memory is 128 * n * r bytes, time grows with n * r * p.
struct ScryptCost {
  std::uint64_t n = 1U << 14;  ///< A power of two.
  std::uint64_t r = 8;
  std::uint64_t p = 5;
};

/// "scrypt$n$r$p$salt$hash" in base64, with a fresh salt of 16 bytes. Takes the time that its cost says.
Result<std::string> hash_secret(std::string_view secret, const ScryptCost& cost);
/// False also for a text that is not such a hash. Compares in constant time.
bool verify_secret(std::string_view secret, std::string_view hash);

/// For people: four groups of four letters and digits that are not mistaken for one another, 77 bits.
std::string random_secret();
/// For programs: 256 bits in hex.
std::string random_token();
/// What is stored of a token.
std::string token_hash(std::string_view token);

inline constexpr std::string_view kFirstUser = "admin";
/// Owner of the local command line's token; cannot sign in.
inline constexpr std::string_view kLocalUser = "local";

/// In the directory of secrets: the first user's secret, until it is changed.
inline constexpr std::string_view kFirstSecretFile = "first-sign-in";

/// Makes the user admin with a random secret when there are no users yet, and the local command line's token (user
/// local, Admin) when the one in DIRECTORY/cli-token is not valid. The secret goes to DIRECTORY/first-sign-in; both
/// files are 0600. Returns whether admin was made.
Result<bool> make_first_secrets(state::Users& users, const std::string& directory, const ScryptCost& cost,
                                Timestamp now);

}  // namespace picket::api
