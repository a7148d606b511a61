#include "connection.h"

#include <chrono>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "request_parser.h"
#include "router.h"

namespace picket::api {
namespace {

namespace asio = net::asio;

constexpr std::size_t kReadBytes = 16U << 10;
constexpr std::size_t kLiveFramesPerWrite = 64;
constexpr std::size_t kLingerBytesMax = 256U << 10;
constexpr Duration kLinger = Duration::seconds(2);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::chrono::microseconds chrono(Duration duration) { return std::chrono::microseconds(duration.us); }

/// Closes the stream when time is up. Lives on the connection's thread, shorter than the stream.
class Deadline {
 public:
  Deadline(net::Stream& stream, std::atomic<std::uint64_t>& expired)
      : state_(std::make_shared<State>(stream.executor(), stream, expired)) {}
  ~Deadline() {
    ++state_->generation;
    state_->timer.cancel();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void set(Duration after) {
    const auto generation = ++state_->generation;
    state_->timer.expires_after(chrono(after));
    state_->timer.async_wait([state = state_, generation](const boost::system::error_code& error) {
      if (error || state->generation != generation) return;  // set anew, or gone, while this was on its way
      ++state->expired;
      state->stream.close();
    });
  }
  void clear() {
    ++state_->generation;
    state_->timer.cancel();
  }

 private:
  // Shared with the handler of the timer, which may run after the deadline has gone.
  struct State {
    State(asio::any_io_executor executor, net::Stream& stream_in, std::atomic<std::uint64_t>& expired_in)
        : timer(std::move(executor)), stream(stream_in), expired(expired_in) {}
    asio::steady_timer timer;
    net::Stream& stream;
    std::atomic<std::uint64_t>& expired;
    std::uint64_t generation = 0;
  };
  std::shared_ptr<State> state_;
};

/// Runs `job` on a worker, returns to this thread with its response.
asio::awaitable<Response> on_worker(Workers& workers, asio::any_io_executor executor, std::function<Response()> job) {
  auto initiate = [&workers, executor, job = std::move(job)](auto handler) mutable {
    // The handler is owned jointly, so that a refused job leaves it here to be answered.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto finish = [executor, shared](Response response) {
      asio::post(executor,
                 [shared, response = std::move(response)]() mutable { std::move (*shared)(std::move(response)); });
    };
    const bool taken = workers.offer([finish, job = std::move(job)]() mutable { finish(job()); });
    if (!taken) finish(Response::error({.code = "busy", .retry_after_s = 1}));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Response)>(std::move(initiate),
                                                                                         asio::use_awaitable);
}

/// One connection's coroutines; lives in serve_http.
class HttpConnection {
 public:
  HttpConnection(const HttpSettings& settings, net::Connection& connection)
      : settings_(settings),
        stream_(*connection.stream),
        admission_(connection.admission),
        deadline_(stream_, settings.counters.timeouts) {}

  asio::awaitable<void> run();

 private:
  enum class Read { request, broken, gone };
  asio::awaitable<Read> read(Request& out, Response& refusal);
  asio::awaitable<bool> fill(std::string& into);
  asio::awaitable<bool> write(const std::string& bytes);
  [[nodiscard]] Workers& workers_for(const Request& request) const;
  asio::awaitable<bool> still_allowed(const Request& request);
  asio::awaitable<void> live(const Request& request, const Response& response);
  asio::awaitable<void> linger();
  void count(const Response& response);

  const HttpSettings& settings_;
  net::Stream& stream_;
  net::Admission& admission_;
  Deadline deadline_;
  std::string input_;
};

asio::awaitable<bool> HttpConnection::fill(std::string& into) {
  const std::size_t size = into.size();
  into.resize(size + kReadBytes);
  const auto got = co_await stream_.read_some(std::as_writable_bytes(std::span(into).subspan(size)));
  into.resize(size + (got ? *got : 0));
  co_return got.has_value();
}

asio::awaitable<bool> HttpConnection::write(const std::string& bytes) {
  deadline_.set(settings_.options.write_timeout);
  const auto written = co_await stream_.write(as_bytes(bytes));
  deadline_.clear();
  co_return written.has_value();
}

asio::awaitable<HttpConnection::Read> HttpConnection::read(Request& out, Response& refusal) {
  const ServerOptions& options = settings_.options;
  RequestParser parser({options.header_bytes_max, options.body_bytes_max});
  if (input_.empty()) {
    deadline_.set(options.idle_timeout);
    const auto readable = co_await stream_.wait_readable();
    if (!readable) co_return Read::gone;
  }
  deadline_.set(options.header_timeout);
  bool in_body = false;
  for (;;) {
    auto status = parser.feed(input_);
    if (status == RequestParser::Status::complete) status = parser.take(out);
    if (status == RequestParser::Status::complete) {
      deadline_.clear();
      co_return Read::request;
    }
    if (status == RequestParser::Status::broken) {
      ++settings_.counters.malformed;
      refusal = Response::error(parser.error());
      co_return Read::broken;
    }
    if (!in_body && parser.header_done()) {
      in_body = true;
      deadline_.set(options.body_timeout);
      if (parser.take_expects_continue()) {
        const auto told = co_await stream_.write(as_bytes(kContinue));
        if (!told) co_return Read::gone;
      }
    }
    const bool more = co_await fill(input_);
    if (!more) co_return Read::gone;
  }
}

void HttpConnection::count(const Response& response) {
  if (response.status >= 500)
    ++settings_.counters.responses_5xx;
  else if (response.status >= 400)
    ++settings_.counters.responses_4xx;
  else
    ++settings_.counters.responses_2xx;
}

asio::awaitable<void> HttpConnection::run() {
  for (;;) {
    Request request;
    Response response;
    const Read read_result = co_await read(request, response);
    if (read_result == Read::gone) co_return;
    bool keep_alive = false;
    if (read_result == Read::request) {
      ++settings_.counters.requests;
      request.address = stream_.peer().address;
      keep_alive = request.keep_alive;
      std::function<Response()> job = [this, &request] { return settings_.answer(request); };
      response = co_await on_worker(workers_for(request), stream_.executor(), std::move(job));
    }
    count(response);
    if (response.live_from) {
      co_await live(request, response);
      co_return;
    }
    // Whoever the API answers has shown who it is. Files are for everybody, and prove nothing.
    if (response.status < 400 && request.path.starts_with(kApiPrefix)) admission_.authenticated();
    const std::string bytes = serialize(response, keep_alive, request.method == "HEAD");
    const bool written = co_await write(bytes);
    if (!written) co_return;
    if (!keep_alive) {
      co_await linger();
      co_return;
    }
  }
}

// Closing with unread input would reset the connection and take the response with it: tell the end, then read on a bit.
asio::awaitable<void> HttpConnection::linger() {
  stream_.shutdown();
  deadline_.set(kLinger);
  for (std::size_t total = 0; total < kLingerBytesMax;) {
    std::string ignored;
    const bool more = co_await fill(ignored);
    if (!more) break;
    total += ignored.size();
  }
  deadline_.clear();
}

/// Shared with the publisher, which may call when the reader is already on its way out.
struct Wake {
  explicit Wake(asio::any_io_executor executor_in) : executor(executor_in), timer(executor_in) {}
  asio::any_io_executor executor;
  asio::steady_timer timer;
  std::atomic<bool> posted{false};
  bool ready = false;  ///< Connection's thread only.
};

Workers& HttpConnection::workers_for(const Request& request) const {
  return request.path == std::string(kApiPrefix) + "/query" ? settings_.query_workers : settings_.workers;
}

/// Asks again what was asked when the stream began: sessions end and users are removed meanwhile.
asio::awaitable<bool> HttpConnection::still_allowed(const Request& request) {
  std::function<Response()> job = [this, &request] { return settings_.answer(request); };
  const Response again = co_await on_worker(settings_.workers, stream_.executor(), std::move(job));
  co_return again.status != 401 && again.status != 403;
}

asio::awaitable<void> HttpConnection::live(const Request& request, const Response& response) {
  const auto wake = std::make_shared<Wake>(stream_.executor());
  std::function<void()> on_news = [wake] {
    if (wake->posted.exchange(true)) return;
    asio::post(wake->executor, [wake] {
      wake->posted = false;
      wake->ready = true;
      wake->timer.cancel();
    });
  };
  const auto reader = settings_.live.subscribe(*response.live_from, std::move(on_news));
  if (!reader) {
    const std::string busy = serialize(Response::error({.code = "busy", .retry_after_s = 10}), false, false);
    co_await write(busy);
    co_await linger();
    co_return;
  }
  admission_.authenticated();
  std::string bytes = serialize(response, false, false) + "retry: 2000\n\n";
  const auto heartbeat = chrono(settings_.options.live_heartbeat);
  auto allowed_until = std::chrono::steady_clock::now() + heartbeat;
  for (;;) {
    if (std::chrono::steady_clock::now() >= allowed_until) {
      const bool allowed = co_await still_allowed(request);
      if (!allowed) break;
      allowed_until = std::chrono::steady_clock::now() + heartbeat;
    }
    wake->ready = false;
    const auto frames = reader->next(kLiveFramesPerWrite);
    if (!frames) break;
    for (const auto& frame : *frames) bytes += *frame;
    if (!bytes.empty()) {
      const bool written = co_await write(bytes);
      if (!written) co_return;
      bytes.clear();
      if (!frames->empty()) continue;  // there may be more
    }
    if (wake->ready) continue;
    boost::system::error_code code;
    wake->timer.expires_after(heartbeat);
    co_await wake->timer.async_wait(asio::redirect_error(asio::use_awaitable, code));
    if (!wake->ready) bytes = ": still here\n\n";
  }
  stream_.shutdown();
}

}  // namespace

asio::awaitable<void> serve_http(const HttpSettings& settings, net::Connection connection) {
  HttpConnection http(settings, connection);
  co_await http.run();
}

}  // namespace picket::api
