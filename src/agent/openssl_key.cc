// Debian 12 has PKCS#11 for OpenSSL 3 only as an engine; engines are deprecated and still work.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "openssl_key.h"

#include <openssl/engine.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/store.h>

#include "agent/secret_file.h"
#include "agent/tls.h"
#include "base/core/encoding.h"

namespace picket::agent {
namespace {

constexpr std::size_t kPinBytesMax = 256;

std::unexpected<std::string> bad(std::string text) { return std::unexpected(std::move(text)); }

Checked<OpensslKey> from_pem(const std::string& pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  // Never asks at a terminal: without a callback OpenSSL would.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  OpensslKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key && pem.contains("ENCRYPTED")) return bad("the private key is encrypted with a password");
  if (!key) return bad("the private key is no PEM key (EC or RSA)");
  return key;
}

Checked<OpensslKey> from_token(const std::string& uri) {
  const auto name = parse_pkcs11_name(uri);
  if (!name) return bad(name.error());
  // The engine keeps the token open; one for the whole program, as long as it runs.
  static ENGINE* const engine = [] {
    ENGINE_load_dynamic();
    return ENGINE_by_id("pkcs11");
  }();
  if (engine == nullptr) return bad("OpenSSL has no engine 'pkcs11'; install the package libengine-pkcs11-openssl");
  const bool configured =
      (name->module_path.empty() || ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", name->module_path.c_str(), 0) == 1) &&
      (name->pin.empty() || ENGINE_ctrl_cmd_string(engine, "PIN", name->pin.c_str(), 0) == 1);
  static bool started = false;
  if (!configured || (!started && ENGINE_init(engine) != 1)) {
    return bad("the PKCS#11 module " + name->module_path + " cannot be used");
  }
  started = true;
  OpensslKey key(ENGINE_load_private_key(engine, name->key.c_str(), nullptr, nullptr));
  if (!key) return bad("the PKCS#11 token has no such key, or its PIN is wrong: " + name->key);
  return key;
}

Checked<OpensslKey> from_tpm(const std::string& handle) {
  OSSL_LIB_CTX* const library = tpm_library();
  if (library == nullptr) {
    return bad("OpenSSL has no provider 'tpm2', or it finds no TPM; install the package tpm2-openssl");
  }
  const std::unique_ptr<OSSL_STORE_CTX, int (*)(OSSL_STORE_CTX*)> store(
      OSSL_STORE_open_ex(handle.c_str(), library, kTpmProperties, nullptr, nullptr, nullptr, nullptr, nullptr),
      OSSL_STORE_close);
  while (store && OSSL_STORE_eof(store.get()) == 0) {
    const std::unique_ptr<OSSL_STORE_INFO, void (*)(OSSL_STORE_INFO*)> info(OSSL_STORE_load(store.get()),
                                                                            OSSL_STORE_INFO_free);
    if (info && OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PKEY) {
      return OpensslKey(OSSL_STORE_INFO_get1_PKEY(info.get()));
    }
  }
  return bad("the TPM has no key at " + handle);
}

}  // namespace

OSSL_LIB_CTX* tpm_library() {
  static OSSL_LIB_CTX* const library = []() -> OSSL_LIB_CTX* {
    OSSL_LIB_CTX* const made = OSSL_LIB_CTX_new();
    // In this order: what both can do and nobody asks the TPM for, OpenSSL's own provider does.
    const bool ready = made != nullptr && OSSL_PROVIDER_load(made, "default") != nullptr &&
                       OSSL_PROVIDER_load(made, "tpm2") != nullptr &&
                       EVP_set_default_properties(made, kTpmProperties) == 1;
    if (ready) return made;
    OSSL_LIB_CTX_free(made);
    return nullptr;
  }();
  return library;
}

Checked<Pkcs11Name> parse_pkcs11_name(std::string_view uri) {
  const auto query = uri.find('?');
  Pkcs11Name out{.key = std::string(uri.substr(0, query)), .module_path = {}, .pin = {}};
  std::string_view rest = query == std::string_view::npos ? std::string_view{} : uri.substr(query + 1);
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) return bad("the PKCS#11 URI has an attribute without '='");
    const std::string_view name = part.substr(0, equals);
    auto value = percent_decode(part.substr(equals + 1));
    if (!value) return bad("the PKCS#11 URI is not percent-encoded");
    if (name == "module-path") {
      out.module_path = *std::move(value);
    } else if (name == "pin-value") {
      out.pin = *std::move(value);
    } else if (name == "pin-source") {
      std::string_view path = *value;
      if (path.starts_with("file:")) path.remove_prefix(5);
      auto pin = read_secret_file(std::string(path), kPinBytesMax);
      if (!pin) return bad("pin-source " + pin.error());
      while (pin->ends_with('\n') || pin->ends_with('\r')) pin->pop_back();
      out.pin = *std::move(pin);
    } else {
      return bad("the PKCS#11 URI has an unknown attribute '" + std::string(name.substr(0, 64)) +
                 "'; known are module-path, pin-source, pin-value");
    }
  }
  return out;
}

Checked<OpensslKey> load_openssl_key(const std::string& key) {
  if (key.starts_with("pkcs11:")) return from_token(key);
  if (key.starts_with("handle:")) return from_tpm(key);
  return from_pem(key);
}

}  // namespace picket::agent
