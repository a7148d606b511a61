#include "http/connection.h"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/deadline.h"

namespace picket::http {
namespace {

constexpr std::size_t kReadBytes = 16U << 10;
constexpr std::size_t kSinkPieceBytes = 256U << 10;  ///< Gathered before a sink is called.
constexpr std::size_t kLingerBytesMax = 256U << 10;
constexpr Duration kLinger = Duration::seconds(2);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// One connection's coroutines; lives in serve().
class HttpConnection {
 public:
  HttpConnection(const Settings& settings, net::Connection connection)
      : settings_(settings),
        connection_(std::move(connection)),
        deadline_(std::make_unique<Deadline>(stream(), settings.counters.timeouts)) {}

  asio::awaitable<void> run();

 private:
  enum class Read : std::uint8_t { request, refused, gone };
  net::Stream& stream() { return *connection_.stream; }
  asio::awaitable<Read> read(Request& out, Response& refusal);
  asio::awaitable<Read> read_body(RequestParser& parser, const BodyPlan& plan, Request& out, Response& refusal);
  asio::awaitable<std::expected<BodyPlan, Response>> plan_of(RequestParser& parser);
  asio::awaitable<bool> fill();
  asio::awaitable<bool> write(std::string_view bytes);
  asio::awaitable<bool> write_response(Response& response, bool keep_alive, bool head_only);
  asio::awaitable<void> linger();
  Read refused(ParseError error, Response& refusal);
  void count(const Response& response);

  const Settings& settings_;
  net::Connection connection_;
  std::unique_ptr<Deadline> deadline_;
  std::string input_;
};

asio::awaitable<bool> HttpConnection::fill() {
  const std::size_t size = input_.size();
  input_.resize(size + kReadBytes);
  const auto got = co_await stream().read_some(std::as_writable_bytes(std::span(input_).subspan(size)));
  input_.resize(size + (got ? *got : 0));
  co_return got.has_value();
}

asio::awaitable<bool> HttpConnection::write(std::string_view bytes) {
  deadline_->set(settings_.limits.write_timeout);
  const auto written = co_await stream().write(as_bytes(bytes));
  deadline_->clear();
  co_return written.has_value();
}

HttpConnection::Read HttpConnection::refused(ParseError error, Response& refusal) {
  ++settings_.counters.malformed;
  refusal = settings_.refuse ? settings_.refuse(error) : Response::empty(status_of(error));
  return Read::refused;
}

asio::awaitable<std::expected<BodyPlan, Response>> HttpConnection::plan_of(RequestParser& parser) {
  if (!settings_.accept) co_return BodyPlan{};
  ConnectionInfo info{stream(), connection_.admission};
  co_return co_await settings_.accept(parser.head(), info);
}

asio::awaitable<HttpConnection::Read> HttpConnection::read(Request& out, Response& refusal) {
  RequestParser parser(settings_.limits.header_bytes_max);
  if (input_.empty()) {
    std::string().swap(input_);  // an idle connection holds no buffer
    deadline_->set(settings_.limits.idle_timeout);
    const auto readable = co_await stream().wait_readable();
    if (!readable) co_return Read::gone;
  }
  deadline_->set(settings_.limits.header_timeout);
  for (;;) {
    const auto status = parser.feed(input_);
    if (status == RequestParser::Status::broken) co_return refused(parser.error(), refusal);
    if (status == RequestParser::Status::head) break;
    const bool more = co_await fill();
    if (!more) co_return Read::gone;
  }
  deadline_->clear();
  parser.head().address = stream().peer().address;
  auto plan = co_await plan_of(parser);
  if (!plan) {
    refusal = std::move(plan.error());
    co_return Read::refused;
  }
  if (parser.announced_bytes() > plan->bytes_max) co_return refused(ParseError::body_too_large, refusal);
  parser.limit_body(plan->bytes_max);
  co_return co_await read_body(parser, *plan, out, refusal);
}

asio::awaitable<HttpConnection::Read> HttpConnection::read_body(RequestParser& parser, const BodyPlan& plan,
                                                                Request& out, Response& refusal) {
  const Limits& limits = settings_.limits;
  out = std::move(parser.head());
  bool told = !parser.expects_continue();
  std::string piece;
  const auto began = std::chrono::steady_clock::now();
  for (;;) {
    const auto status = parser.feed(input_);
    if (status == RequestParser::Status::broken) co_return refused(parser.error(), refusal);
    const bool complete = status == RequestParser::Status::complete;
    if (plan.sink) {
      piece += parser.take_body();
      if (piece.size() >= kSinkPieceBytes || (complete && !piece.empty())) {
        deadline_->clear();
        const auto taken = co_await plan.sink->write(std::exchange(piece, {}));
        if (!taken) {
          refusal = plan.sink->refusal();
          co_return Read::refused;
        }
      }
    }
    if (complete) break;
    if (!std::exchange(told, true)) {
      const bool said = co_await write(kContinue);
      if (!said) co_return Read::gone;
    }
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    const auto earned = Duration::microseconds(static_cast<std::int64_t>(
        parser.body_bytes() * 1'000'000 / std::max<std::uint64_t>(limits.body_bytes_per_second, 1)));
    deadline_->set(std::max(limits.body_timeout + earned - Duration::microseconds(passed.count()), Duration{}));
    const bool more = co_await fill();
    if (!more) co_return Read::gone;
  }
  deadline_->clear();
  if (!plan.sink) out.body = parser.take_body();
  out.sink = plan.sink;
  out.body_bytes = parser.body_bytes();
  co_return Read::request;
}

void HttpConnection::count(const Response& response) {
  if (response.status >= 500)
    ++settings_.counters.responses_5xx;
  else if (response.status >= 400)
    ++settings_.counters.responses_4xx;
  else
    ++settings_.counters.responses_2xx;
}

asio::awaitable<bool> HttpConnection::write_response(Response& response, bool keep_alive, bool head_only) {
  std::string bytes = serialize_head(response, keep_alive, settings_.headers);
  const bool bodyless = head_only || response.status == 204 || response.status == 304;
  if (!bodyless && !response.source) bytes += response.body;
  const bool written = co_await write(bytes);
  if (!written || bodyless || !response.source) co_return written;
  for (std::uint64_t left = response.source->size(); left > 0;) {
    const auto piece = co_await response.source->next();
    if (!piece || piece->empty() || piece->size() > left) co_return false;
    const bool sent = co_await write(*piece);
    if (!sent) co_return false;
    left -= piece->size();
  }
  co_return true;
}

asio::awaitable<void> HttpConnection::run() {
  for (;;) {
    Request request;
    Response response;
    const Read got = co_await read(request, response);
    if (got == Read::gone) co_return;
    bool keep_alive = false;
    if (got == Read::request) {
      ++settings_.counters.requests;
      keep_alive = request.keep_alive;
      ConnectionInfo info{stream(), connection_.admission};
      response = co_await settings_.answer(request, info);
      keep_alive = keep_alive && !response.close;
    }
    count(response);
    if (response.takeover) {
      const bool written = co_await write(serialize_head(response, false, settings_.headers));
      if (!written) co_return;
      deadline_.reset();
      co_await response.takeover(std::move(connection_), std::move(input_));
      co_return;
    }
    const bool written = co_await write_response(response, keep_alive, request.method == "HEAD");
    if (!written) co_return;
    if (!keep_alive) break;
  }
  co_await linger();
}

// Lets the client read our last words: closing while its bytes are unread would reset the connection and lose them.
asio::awaitable<void> HttpConnection::linger() {
  stream().shutdown();
  deadline_->set(kLinger);
  std::size_t total = 0;
  while (total < kLingerBytesMax) {
    input_.clear();
    const bool more = co_await fill();
    if (!more) break;
    total += input_.size();
  }
  deadline_->clear();
}

}  // namespace

asio::awaitable<void> serve(const Settings& settings, net::Connection connection) {
  HttpConnection http(settings, std::move(connection));
  co_await http.run();
}

}  // namespace picket::http
