// A connected peer, whatever carries the bytes. Virtual on purpose: templates over stream types cost minutes of compile
// time, a virtual call costs nothing beside TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "net/certificate.h"

namespace picket::net {

namespace asio = boost::asio;

struct Endpoint {
  std::string address;  ///< "192.0.2.1", "2001:db8::1"; IPv4 over an IPv6 socket is written as IPv4.
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// What a client certificate says, also when it does not verify: the reader decides, and an impersonation attempt
/// leaves facts behind.
struct ClientCertificate : Certificate {
  bool verified = false;      ///< Chains to a CA of the TlsContext and is in its validity period.
  std::string verify_result;  ///< OpenSSL's words, "ok" when verified.
  bool chained = false;       ///< Chains to a CA of the TlsContext, whatever the time is.
  /// When chained: SHA-256 of the certificates above it, nearest first, the CA that is trusted last; and the earliest
  /// end among all of them and the certificate's own.
  std::vector<std::string> issuer_thumbprints;
  Timestamp chain_not_after;
};

struct TlsFacts {
  std::string version;      ///< "TLSv1.3"
  std::string cipher;       ///< "TLS_AES_256_GCM_SHA384"
  std::string group;        ///< Of the key exchange: "x25519", "secp256r1"; empty when it is not known (resumed).
  std::string server_name;  ///< SNI; empty when the client sent none.
  bool resumed = false;
  std::optional<ClientCertificate> client_certificate;
};

/// Used on the one thread of its executor. At most one read and one write at a time; the two may overlap.
/// Errors of all operations: unavailable (peer gone, or closed by us), io.
class Stream {
 public:
  virtual ~Stream() = default;

  /// At least one byte. `into` is touched only behind the last wait, so that an idle connection needs no buffer of its
  /// own: all connections of a thread may share one. Error unavailable "net.stream.end": the peer has finished.
  virtual asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into) = 0;
  /// Returns when the next read_some() will not wait.
  virtual asio::awaitable<Result<>> wait_readable() = 0;
  /// Everything; `bytes` must live until it returns.
  virtual asio::awaitable<Result<>> write(Bytes bytes) = 0;
  /// What goes out without a wait, from the front of `bytes`; the rest, which may be all, is for write(). Not while a
  /// write() is under way.
  virtual Result<std::size_t> try_write(Bytes bytes) {
    static_cast<void>(bytes);
    return 0;
  }
  /// Tells the peer that nothing follows (TLS close_notify, FIN). Does not wait for its answer.
  virtual void shutdown() = 0;
  /// Ends the connection now: the peer sees its end, waiting operations return unavailable. The descriptor lives until
  /// the destructor, so that a late operation cannot hit another connection's.
  virtual void close() = 0;

  /// The peer has finished or is gone, as far as the system knows; unread bytes may still be there. Never waits.
  [[nodiscard]] virtual bool peer_finished() const { return false; }

  [[nodiscard]] virtual const Endpoint& peer() const = 0;
  /// nullptr: not TLS.
  [[nodiscard]] virtual const TlsFacts* tls() const = 0;
  virtual asio::any_io_executor executor() = 0;
  /// What the client has sent of its certificate chain, leaf first, in DER, at most kClientChainMax; whether or not it
  /// verifies. Empty: none, or not TLS. Made anew for each call.
  [[nodiscard]] virtual std::vector<Buffer> client_chain_der() const { return {}; }
  static constexpr std::size_t kClientChainMax = 8;
};

}  // namespace picket::net
