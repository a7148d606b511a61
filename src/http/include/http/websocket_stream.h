// A WebSocket as a net::Stream, so that MQTT and AMQP run over it unchanged (spec/hub.md 1.1, 1.3).
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"
#include "net/listener.h"

namespace picket::http {

/// What may be spoken inside: the subprotocol as it stands in Sec-WebSocket-Protocol, and who takes the connection.
struct WebSocketProtocol {
  std::string name;
  net::Handler handler;
};

/// True when the request asks to become a WebSocket, rightly or not.
bool wants_websocket(const Request& request);

/// The answer to an upgrade: 101 with a takeover that hands a WebSocketStream to the first protocol of the client's
/// list that is offered here. 400: a handshake that is none (method, Connection, key), or no protocol in common. 426:
/// another version than 13.
Response upgrade(const Request& request, std::span<const WebSocketProtocol> offered);

/// Value of Sec-WebSocket-Accept for a key (RFC 6455, section 4.2.2).
std::string websocket_accept(std::string_view key);

/// Takes over the stream of an upgraded connection. `unread`: what the client has sent behind its handshake. Pings are
/// answered while somebody reads; of several only the newest. A close frame of the client reads as the end.
std::unique_ptr<net::Stream> make_websocket_stream(std::unique_ptr<net::Stream> inner, std::string unread);

}  // namespace picket::http
