// X.509 as provisioning needs it: facts of one certificate, and whether a chain ends at one that is trusted.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::hub {

inline constexpr std::size_t kCertificateBytesMax = 16 * 1024;
inline constexpr std::size_t kChainMax = 8;

struct CertificateFacts {
  Buffer der;
  std::string common_name;
  std::string subject;  ///< One line, RFC 2253.
  std::string issuer;
  std::string serial;  ///< Upper-case hex.
  std::string sha1;    ///< Lower-case hex.
  std::string sha256;
  Timestamp not_before;
  Timestamp not_after;
  int version = 3;
  bool authority = false;  ///< May sign others (basicConstraints).
};

/// PEM (the first certificate of it), DER in base64, or PEM in base64. Errors: malformed "provisioning.certificate",
/// limit_exceeded (kCertificateBytesMax).
Result<CertificateFacts> parse_certificate_text(std::string_view text);
Result<CertificateFacts> parse_certificate_der(Bytes der);
std::string to_pem(Bytes der);

/// Whether `leaf` chains at `now` to one of `anchors`, which may be intermediate ones; `chain` helps and is not
/// trusted. Returns the index of the anchor nearest to the leaf. nullopt: it does not, and `why` (OpenSSL's words) says
/// so. A leaf that is itself an anchor does not count.
std::optional<std::size_t> verify_chain(Bytes leaf, std::span<const Buffer> chain, std::span<const Buffer> anchors,
                                        Timestamp now, std::string& why);

}  // namespace picket::hub
