// What an X.509 certificate says, and the proof that somebody holds the key of one.
#pragma once

#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::net {

struct Certificate {
  std::string common_name;
  std::string subject;            ///< One line, RFC 2253.
  std::string issuer;             ///< The same.
  std::string serial;             ///< Upper-case hex.
  std::string sha1_thumbprint;    ///< Lower-case hex, 40 characters.
  std::string sha256_thumbprint;  ///< Lower-case hex, 64 characters.
  Timestamp not_before;
  Timestamp not_after;
  bool is_ca = false;
  std::string key_kind;             ///< "RSA", "EC", "ED25519"
  int key_bits = 0;                 ///< Of the modulus or the curve.
  std::string signature_algorithm;  ///< "ecdsa-with-SHA256"
};

inline constexpr std::size_t kCertificateBytesMax = 64 * 1024;

/// The first certificate of a PEM text, or one in DER. Errors: malformed "net.certificate", limit_exceeded.
Result<Certificate> parse_certificate(std::string_view pem_or_der);
/// The same certificate as PEM and nothing else: what surrounded it is left out.
Result<std::string> certificate_pem(std::string_view pem_or_der);

/// True when `proof` has exactly `code` as its common name and is signed with the key of `ca`: only who holds that key
/// can have made it. Validity times do not matter, since the code is new. Errors: malformed.
Result<bool> proves_possession(std::string_view ca, std::string_view proof, std::string_view code);

}  // namespace picket::net
