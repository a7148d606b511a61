// Private keys that OpenSSL uses where they are: PEM text, a PKCS#11 token, a TPM.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "agent/connection_string.h"

namespace picket::agent {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using OpensslKey = std::unique_ptr<EVP_PKEY, FreeKey>;

/// Without them OpenSSL would sign with its own code and find no private key. Hashes and ciphers stay off the TPM: it
/// is slow, and holds three objects at a time.
inline constexpr const char* kTpmProperties = "?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes";
/// OpenSSL with a TPM, apart from the rest of the process; nullptr: there is none.
OSSL_LIB_CTX* tpm_library();

/// What a PKCS#11 URI (RFC 7512) says apart from which key it means.
struct Pkcs11Name {
  std::string key;          ///< The URI without its query.
  std::string module_path;  ///< "module-path"; empty: PKCS11_MODULE_PATH, else the system's p11-kit.
  std::string pin;          ///< "pin-value", or the content of the file "pin-source" (0600).
};
/// The error is for people and never shows the PIN.
Checked<Pkcs11Name> parse_pkcs11_name(std::string_view uri);

/// `key` as TlsOptions says. The error is for people.
Checked<OpensslKey> load_openssl_key(const std::string& key);

}  // namespace picket::agent
