// TLS as the uplink sees it, whatever library is below (decisions: mbedTLS in the small build, OpenSSL where TLS 1.3, a
// TPM or PKCS#11 is wanted). A program links one of agent_tls_mbedtls and agent_tls_openssl.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "agent/connection_string.h"
#include "base/core/bytes.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::agent {

/// Which readiness of the socket a call has to wait for.
enum class TlsWait : std::uint8_t { none, read, write };

/// One connection on a non-blocking socket that it does not own. Bounded: one record each way.
class TlsSession {
 public:
  virtual ~TlsSession() = default;

  /// Goes on with the handshake. `none`: done, the peer's certificate chain and name are verified. Errors: denied
  /// (certificate; problem() says why), io, unavailable (closed), malformed (no TLS, or no version in common).
  virtual Result<TlsWait> handshake() = 0;

  struct Progress {
    std::size_t bytes = 0;         ///< Moved; 0 with `wait` none: the peer has closed the connection (read only).
    TlsWait wait = TlsWait::none;  ///< Not none: nothing was moved, wait for this.
  };
  /// Errors: io, malformed (the peer broke the protocol), denied (it refused our certificate).
  virtual Result<Progress> read(std::span<std::byte> out) = 0;
  /// After `wait` the same bytes must be offered again, maybe with more behind them.
  virtual Result<Progress> write(Bytes bytes) = 0;
  /// Says good-bye, best effort.
  virtual void close() = 0;
  /// For people, after a failed handshake: "the certificate is not for this host name", ...
  [[nodiscard]] virtual std::string problem() const = 0;
  /// Of a finished handshake: "TLSv1.2".
  [[nodiscard]] virtual std::string version() const = 0;
};

struct TlsOptions {
  std::string ca_pem;           ///< Certificates that the hub's must be signed by, one or several.
  std::string certificate_pem;  ///< This device's own chain, its certificate first; empty: it has none.
  /// Its private key (EC or RSA): PEM text, or in the OpenSSL build also the name of a key that never leaves its place:
  /// "pkcs11:…" (RFC 7512) or "handle:0x…" (a TPM's persistent key).
  std::string key;
};

/// Trust and settings, shared by the connections of one uplink.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
  /// `server_name` must be in the peer's certificate (DNS name, or IP address); also sent as SNI when it is a name.
  /// Errors: limit_exceeded (no memory), malformed (name).
  virtual Result<std::unique_ptr<TlsSession>> connect(int fd, const std::string& server_name) = 0;
  /// When this device's own certificate ends; nullopt: it has none.
  [[nodiscard]] virtual std::optional<Timestamp> certificate_end() const = 0;
};

/// The error is a text for people: which part is not acceptable and why. It never shows the key.
Checked<std::unique_ptr<TlsContext>> make_tls_context(const TlsOptions& options);
/// Name of the library: "mbedTLS" or "OpenSSL".
std::string_view tls_library();
/// Whether `key` names a key instead of being its PEM text or file.
bool is_key_name(std::string_view key);

}  // namespace picket::agent
