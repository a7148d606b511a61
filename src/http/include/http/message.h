// Requests and responses as values.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "net/listener.h"

namespace picket::http {

namespace asio = boost::asio;

struct Response;

using Header = std::pair<std::string, std::string>;

/// Takes a large body while it arrives, so that it never is in memory as a whole. On the connection's thread.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// The next piece. An error ends the request with refusal(); what was written is the sink's own to remove.
  virtual asio::awaitable<Result<>> write(std::string piece) = 0;
  /// The answer after write() has failed.
  virtual Response refusal();
};

/// Gives a large body piece by piece.
class BodySource {
 public:
  virtual ~BodySource() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// At least one byte until size() have been given. An error ends the connection: its length was promised.
  virtual asio::awaitable<Result<std::string>> next() = 0;
};

/// A request whose syntax is good. Names of headers are compared without regard to case.
struct Request {
  std::string method;
  std::string path;   ///< Still percent-encoded, begins with '/', without query.
  std::string query;  ///< Behind '?', still percent-encoded.
  std::vector<Header> headers;
  std::string body;                ///< Empty when `sink` took it.
  std::shared_ptr<BodySink> sink;  ///< Shared by the connection, which fills it, and the handler.
  std::uint64_t body_bytes = 0;    ///< Of the body, also when a sink took it.
  std::string address;             ///< Of the peer.
  std::shared_ptr<void> note;      ///< What Settings::accept found out, for Settings::answer; shared by nobody else.
  bool keep_alive = true;
  /// Requested when the peer has gone while it waits for the answer; only where the handler's connection looks for it.
  std::stop_token gone;

  /// The first header of that name, or "".
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// How often a header is there.
  [[nodiscard]] std::size_t count(std::string_view name) const;
};

/// Continues a connection as something that is no longer HTTP: live updates, WebSocket. `unread`: bytes that came
/// behind the request.
using Takeover = std::move_only_function<asio::awaitable<void>(net::Connection connection, std::string unread)>;

/// Names and values of headers are the handler's own text: serialize() leaves out a header that holds a control
/// character, so that no value can begin another line.
struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
  std::shared_ptr<BodySource> source;  ///< Set: the body, instead of `body`.
  Takeover takeover;   ///< Set: the head is written without length, then the connection is this function's.
  bool close = false;  ///< The connection ends behind this response.

  static Response empty(int status = 204);
  static Response text(int status, std::string body, std::string type);
};

bool equal_ignoring_case(std::string_view a, std::string_view b);
/// True when a comma-separated header value names the token, without regard to case.
bool has_token(std::string_view list, std::string_view token);

/// Standard reason phrase.
std::string_view reason_of(int status);
/// Status line and headers with the empty line behind them. `more`: complete header lines to put in as they stand.
std::string serialize_head(const Response& response, bool keep_alive, std::string_view more);

/// Decoded members of a query string in order; `+` is a space. nullopt: bad percent-encoding, or text that is not
/// UTF-8.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

/// IMF-fixdate (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_http_date(Timestamp time);

}  // namespace picket::http
