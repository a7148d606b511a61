// TLS as the uplink sees it, whatever library is below (decisions: mbedTLS now, OpenSSL where more is wanted).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/core/bytes.h"
#include "base/core/result.h"

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
  /// Errors: io, malformed (the peer broke the protocol).
  virtual Result<Progress> read(std::span<std::byte> out) = 0;
  /// After `wait` the same bytes must be offered again, maybe with more behind them.
  virtual Result<Progress> write(Bytes bytes) = 0;
  /// Says good-bye, best effort.
  virtual void close() = 0;
  /// For people, after a failed handshake: "the certificate is not for this host name", ...
  [[nodiscard]] virtual std::string problem() const = 0;
};

/// Trust and settings, shared by the connections of one uplink.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
  /// `server_name` must be in the peer's certificate (DNS name, or IP address); also sent as SNI when it is a name.
  /// Errors: limit_exceeded (no memory), malformed (name).
  virtual Result<std::unique_ptr<TlsSession>> connect(int fd, const std::string& server_name) = 0;
};

/// Trusts exactly the certificates in `ca_pem` (PEM, one or several). Errors: malformed.
Result<std::unique_ptr<TlsContext>> make_tls_context(const std::string& ca_pem);

}  // namespace picket::agent
