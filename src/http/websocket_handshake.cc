#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "base/core/encoding.h"
#include "http/websocket_stream.h"

namespace picket::http {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3
constexpr std::size_t kKeyBytes = 16;

bool is_handshake(const Request& request) {
  const auto key = from_base64(request.header("sec-websocket-key"));
  return request.method == "GET" && request.count("sec-websocket-key") == 1 && key && key->size() == kKeyBytes &&
         has_token(request.header("connection"), "upgrade");
}

const WebSocketProtocol* choose(const Request& request, std::span<const WebSocketProtocol> offered) {
  for (const auto& [name, value] : request.headers) {
    if (!equal_ignoring_case(name, "sec-websocket-protocol")) continue;
    for (const WebSocketProtocol& protocol : offered) {
      if (has_token(value, protocol.name)) return &protocol;
    }
  }
  return nullptr;
}

Response refusal(int status, std::string text) {
  Response response = Response::text(status, std::move(text), "text/plain; charset=utf-8");
  response.close = true;
  return response;
}

}  // namespace

bool wants_websocket(const Request& request) { return has_token(request.header("upgrade"), "websocket"); }

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) return {};
  return to_base64(std::as_bytes(std::span(digest)).first(size));
}

Response upgrade(const Request& request, std::span<const WebSocketProtocol> offered) {
  if (!wants_websocket(request) || !is_handshake(request)) return refusal(400, "This is not a WebSocket handshake.\n");
  if (request.header("sec-websocket-version") != "13") {
    Response response = refusal(426, "Use version 13 of the WebSocket protocol.\n");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return response;
  }
  const WebSocketProtocol* protocol = choose(request, offered);
  if (protocol == nullptr) return refusal(400, "None of these subprotocols is offered.\n");
  Response response = Response::empty(101);
  response.headers = {{"Upgrade", "websocket"},
                      {"Connection", "Upgrade"},
                      {"Sec-WebSocket-Accept", websocket_accept(request.header("sec-websocket-key"))},
                      {"Sec-WebSocket-Protocol", protocol->name}};
  // The protocol outlives its connections: it belongs to the settings of the listener.
  response.takeover = [protocol](net::Connection connection, std::string unread) -> asio::awaitable<void> {
    connection.stream = make_websocket_stream(std::move(connection.stream), std::move(unread));
    co_await protocol->handler(std::move(connection));
  };
  return response;
}

}  // namespace picket::http
