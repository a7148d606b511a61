// TLS settings of a listener: TLS 1.2 and 1.3, ECDSA certificate, session tickets, optional client certificates.
#pragma once

#include <memory>
#include <string>

#include "base/core/result.h"

struct ssl_ctx_st;

namespace picket::net {

struct TlsOptions {
  std::string certificate_pem;  ///< Server certificate, then intermediate ones.
  std::string private_key_pem;
  /// Ask for a client certificate and report its facts (Stream::tls()); a missing or a bad one does not end the
  /// handshake.
  bool request_client_certificate = false;
  /// What ClientCertificate::verified is judged by: CAs one after another, root or not; may be empty.
  /// Sessions with a client certificate are never resumed: a CA that is taken away ends what it vouched for.
  std::string client_ca_pem;
  bool tls13_only = false;
  /// 256 bit AES-GCM and ChaCha20-Poly1305 only.
  bool strict_ciphers = false;
};

/// Shared by listeners and connections: a connection keeps the context it began with. Any thread.
class TlsContext {
 public:
  /// Errors: malformed (PEM that is not one, key that does not fit), internal.
  static Result<std::unique_ptr<TlsContext>> create(const TlsOptions& options);
  /// New certificate for new connections. Ticket keys are new too: call it daily so that stolen ones age.
  Result<> replace(const TlsOptions& options);

  /// For streams: the context of a new connection.
  [[nodiscard]] std::shared_ptr<ssl_ctx_st> current() const;

 private:
  TlsContext() = default;
  std::shared_ptr<ssl_ctx_st> context_;  // swapped atomically; shared by this object and the connections of its time
};

}  // namespace picket::net
