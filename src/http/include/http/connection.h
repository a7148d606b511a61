// One HTTP/1.1 connection from its first byte to its end: reads requests, has them answered, writes responses.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/core/time.h"
#include "http/message.h"
#include "http/request_parser.h"
#include "net/listener.h"

namespace picket::http {

struct Limits {
  std::size_t header_bytes_max = kHeaderBytesMax;
  Duration idle_timeout = Duration::seconds(60);    ///< Between requests.
  Duration header_timeout = Duration::seconds(10);  ///< From the first byte to the end of the header.
  /// From there to the end of the body; each body_bytes_per_second received of it give a second more.
  Duration body_timeout = Duration::seconds(30);
  std::uint64_t body_bytes_per_second = 64U << 10;
  Duration write_timeout = Duration::seconds(30);  ///< Of one response, or of one piece of a large one.
};

struct Counters {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> responses_2xx{0};
  std::atomic<std::uint64_t> responses_4xx{0};
  std::atomic<std::uint64_t> responses_5xx{0};
  std::atomic<std::uint64_t> malformed{0};  ///< Of responses_4xx: requests that were not HTTP, or too large.
  std::atomic<std::uint64_t> timeouts{0};   ///< Connections that were ended by one of the time limits.
};

/// Who is asking. Valid while the handler runs; on the connection's thread.
struct ConnectionInfo {
  net::Stream& stream;
  net::Admission& admission;  ///< A handler that knows who this is says so: authenticated().
};

/// What to do with a body that is about to come.
struct BodyPlan {
  std::uint64_t bytes_max = kBodyBytesMax;
  std::shared_ptr<BodySink> sink;  ///< nullptr: into Request::body.
};

/// Fixed while connections live. The functions outlive them and are called on the connection's thread.
struct Settings {
  Limits limits{};
  Counters& counters;
  /// Header lines of every response, each with its CR LF.
  std::string headers;
  /// Answers a request; may wait.
  std::function<asio::awaitable<Response>(Request& request, ConnectionInfo& connection)> answer;
  /// Asked at the end of each head. A Response: the body is not wanted, this is the answer and the connection ends.
  /// Empty: BodyPlan{} for all.
  std::function<asio::awaitable<std::expected<BodyPlan, Response>>(Request& head, ConnectionInfo& connection)> accept{};
  /// The response to bytes that are not a request. Empty: a plain one.
  std::function<Response(ParseError error)> refuse{};
};

/// Runs to the end of the connection. `settings` outlives it.
asio::awaitable<void> serve(const Settings& settings, net::Connection connection);

}  // namespace picket::http
