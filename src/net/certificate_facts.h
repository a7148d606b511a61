// Certificate facts from OpenSSL's object. Private to this module.
#pragma once

#include "net/certificate.h"
#include "openssl_types.h"

namespace picket::net {

Certificate facts_of(X509* certificate);
/// Lower-case hex.
std::string sha256_thumbprint(X509* certificate);
Timestamp end_of(X509* certificate);

}  // namespace picket::net
