// Bytes to and from the hub: name, TCP, a proxy's CONNECT where there is one, TLS, a WebSocket where one is wanted.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/event_loop.h"
#include "agent/proxy.h"
#include "agent/resolver.h"
#include "agent/tls.h"
#include "agent/uplink_status.h"

namespace picket::agent {

struct Route {
  HostPort hub;  ///< What is connected to, and whose name the certificate must bear.
  bool websocket = false;
  std::optional<Proxy> proxy;  ///< Then it asks for the hub's address, this device only for the proxy's.
};

/// One connection at a time, over and over. The owner keeps the time: close() ends an attempt that takes too long. No
/// call blocks. One thread: the loop's.
class Transport {
 public:
  class Owner {
   public:
    virtual void on_stage(UplinkState stage) = 0;
    /// Bytes may flow.
    virtual void on_open() = 0;
    /// After on_open(): it may be worth to read or write again.
    virtual void on_ready() = 0;
    /// Before on_open(): the attempt has failed; the transport is closed. `reason` is for people.
    virtual void on_failed(UplinkProblem problem, std::string reason) = 0;

   protected:
    ~Owner() = default;
  };

  /// Both outlive the transport.
  Transport(EventLoop& loop, Owner& owner);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Must be closed before. Shares `tls` with whoever renews certificates, until close().
  void open(Route route, std::shared_ptr<TlsContext> tls);
  /// At once and silently.
  void close();
  /// Says good-bye on every layer, best effort; then close().
  void leave();

  /// As TlsSession's. Only while open.
  Result<TlsSession::Progress> read(std::span<std::byte> out);
  Result<TlsSession::Progress> write(Bytes bytes);
  /// What on_ready() shall come for: always bytes to read, room to write when `pending` or when the transport itself
  /// has something to send.
  void watch(bool pending);

  [[nodiscard]] bool is_open() const;
  /// What TCP goes to since UplinkState::connecting.
  [[nodiscard]] Endpoint address() const;
  /// "TLSv1.3"; empty before the handshake is done.
  [[nodiscard]] std::string tls_version() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace picket::agent
