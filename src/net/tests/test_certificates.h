// Certificates made for a test: CAs, intermediates, devices, expired ones.
#pragma once

#include <string>

#include "base/core/time.h"

namespace picket::net {

struct TestCertificate {
  std::string certificate_pem;
  std::string private_key_pem;
};

struct TestCertificateOptions {
  std::string common_name;
  const TestCertificate* issuer = nullptr;  ///< nullptr: self-signed.
  bool is_ca = false;
  bool rsa = false;  ///< 2048 bit instead of P-256.
  Timestamp not_before = system_clock().now() - Duration::hours(1);
  Timestamp not_after = system_clock().now() + Duration::days(30);
};

TestCertificate make_test_certificate(const TestCertificateOptions& options);

}  // namespace picket::net
