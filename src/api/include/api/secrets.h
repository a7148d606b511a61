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

/// On the first start makes the user admin with a random secret and the local command line's token, both Admin, and
/// writes them to DIRECTORY/first-sign-in and DIRECTORY/cli-token (0600). Does nothing for what exists already.
/// Returns whether the user was made.
Result<bool> make_first_secrets(state::Users& users, const std::string& directory, const ScryptCost& cost,
                                Timestamp now);

}  // namespace picket::api
