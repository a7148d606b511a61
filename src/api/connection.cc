#include "connection.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/deadline.h"
#include "router.h"

namespace picket::api {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kLiveFramesPerWrite = 64;

std::chrono::microseconds chrono(Duration duration) { return std::chrono::microseconds(duration.us); }

http::Response to_http(Response response) {
  http::Response out;
  out.status = response.status;
  out.headers = std::move(response.headers);
  out.body = std::move(response.body);
  return out;
}

asio::awaitable<Response> on_worker(const HttpSettings& settings, http::Workers& workers,
                                    asio::any_io_executor executor, const Request& request) {
  std::move_only_function<Response()> job = [&settings, &request] { return settings.answer(request); };
  auto response = co_await http::on_worker<Response>(workers, executor, std::move(job));
  if (!response) co_return Response::error({.code = "busy", .retry_after_s = 1});
  co_return *std::move(response);
}

/// Shared with the publisher, which may call when the reader is already on its way out.
struct Wake {
  explicit Wake(asio::any_io_executor executor_in) : executor(executor_in), timer(executor_in) {}
  asio::any_io_executor executor;
  asio::steady_timer timer;
  std::atomic<bool> posted{false};
  bool ready = false;  ///< Connection's thread only.
};

/// A connection that has turned into a stream of live updates.
struct LiveStream {
  const HttpSettings& settings;
  Request request;
  std::shared_ptr<Wake> wake;
  std::shared_ptr<Live::Reader> reader;  ///< Shared with the response that hands it over.

  asio::awaitable<void> run(net::Connection connection);
  asio::awaitable<bool> still_allowed(net::Stream& stream);
};

/// Asks again what was asked when the stream began: sessions end and users are removed meanwhile.
asio::awaitable<bool> LiveStream::still_allowed(net::Stream& stream) {
  const Response again = co_await on_worker(settings, settings.workers, stream.executor(), request);
  co_return again.status != 401 && again.status != 403;
}

asio::awaitable<void> LiveStream::run(net::Connection connection) {
  net::Stream& stream = *connection.stream;
  http::Deadline deadline(stream, settings.counters.timeouts);
  std::string bytes = "retry: 2000\n\n";
  const auto heartbeat = chrono(settings.options.live_heartbeat);
  auto allowed_until = std::chrono::steady_clock::now() + heartbeat;
  for (;;) {
    if (std::chrono::steady_clock::now() >= allowed_until) {
      const bool allowed = co_await still_allowed(stream);
      if (!allowed) break;
      allowed_until = std::chrono::steady_clock::now() + heartbeat;
    }
    wake->ready = false;
    const auto frames = reader->next(kLiveFramesPerWrite);
    if (!frames) break;
    for (const auto& frame : *frames) bytes += *frame;
    if (!bytes.empty()) {
      deadline.set(settings.options.write_timeout);
      const auto written = co_await stream.write(as_bytes(bytes));
      deadline.clear();
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
  stream.shutdown();
}

http::Response begin_live(const HttpSettings& settings, Response response, Request request,
                          http::ConnectionInfo& connection) {
  const auto wake = std::make_shared<Wake>(connection.stream.executor());
  std::function<void()> on_news = [wake] {
    if (wake->posted.exchange(true)) return;
    asio::post(wake->executor, [wake] {
      wake->posted = false;
      wake->ready = true;
      wake->timer.cancel();
    });
  };
  auto reader = settings.live.subscribe(*response.live_from, std::move(on_news));
  if (!reader) {
    auto busy = to_http(Response::error({.code = "busy", .retry_after_s = 10}));
    busy.close = true;
    return busy;
  }
  connection.admission.authenticated();
  auto stream = std::make_shared<LiveStream>(settings, std::move(request), wake, std::move(reader));
  auto out = to_http(std::move(response));
  out.takeover = [stream](net::Connection taken, std::string) { return stream->run(std::move(taken)); };
  return out;
}

/// Looks now and then whether the peer has gone while its request is worked on. On the connection's thread.
class GoneWatch : public std::enable_shared_from_this<GoneWatch> {
 public:
  explicit GoneWatch(net::Stream& stream) : stream_(stream), timer_(stream.executor()) {}
  std::stop_token begin() {
    look_later();
    return source_.get_token();
  }
  void end() {
    ended_ = true;
    timer_.cancel();
  }

 private:
  void look_later() {
    timer_.expires_after(kLookEvery);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code) {
      if (self->ended_) return;
      if (self->stream_.peer_finished()) self->source_.request_stop();
      if (!self->source_.stop_requested()) self->look_later();
    });
  }
  static constexpr std::chrono::milliseconds kLookEvery{200};
  net::Stream& stream_;  // not touched once ended
  asio::steady_timer timer_;
  std::stop_source source_;
  bool ended_ = false;
};

struct EndOfWatch {
  std::shared_ptr<GoneWatch> watch;
  explicit EndOfWatch(std::shared_ptr<GoneWatch> of) : watch(std::move(of)) {}
  EndOfWatch(const EndOfWatch&) = delete;
  EndOfWatch& operator=(const EndOfWatch&) = delete;
  ~EndOfWatch() { watch->end(); }
};

// Those that wait for an engine or a device have workers of their own: signing in never waits behind them.
bool is_slow(std::string_view path) {
  constexpr std::array kPrefixes{std::string_view("/v1/"), std::string_view("/v2/"), std::string_view("/api/v1/query"),
                                 std::string_view("/api/v1/analytics-rules")};
  constexpr std::array kSuffixes{std::string_view("/methods"), std::string_view("/response")};
  return std::ranges::any_of(kPrefixes, [&](std::string_view one) { return path.starts_with(one); }) ||
         std::ranges::any_of(kSuffixes, [&](std::string_view one) { return path.ends_with(one); });
}

asio::awaitable<http::Response> answer(const HttpSettings& settings, Request& request,
                                       http::ConnectionInfo& connection) {
  const bool slow = is_slow(request.path);
  auto& workers = slow ? settings.query_workers : settings.workers;
  const EndOfWatch watch(std::make_shared<GoneWatch>(connection.stream));
  if (slow) request.gone = watch.watch->begin();
  Response response = co_await on_worker(settings, workers, connection.stream.executor(), request);
  if (response.live_from) co_return begin_live(settings, std::move(response), std::move(request), connection);
  // Whoever the API answers has shown who it is. Files are for everybody, and prove nothing.
  const bool api = request.path.starts_with(kApiPrefix) || is_slow(request.path);
  if (response.status < 400 && api) connection.admission.authenticated();
  co_return to_http(std::move(response));
}

std::string_view code_of(http::ParseError error) {
  switch (error) {
    case http::ParseError::header_too_large:
      return "header_too_large";
    case http::ParseError::body_too_large:
      return "too_large";
    case http::ParseError::address_too_long:
      return "address_too_long";
    case http::ParseError::http_version:
      return "http_version";
    case http::ParseError::bad_request:
      break;
  }
  return "bad_request";
}

}  // namespace

http::Settings connection_settings(const HttpSettings& settings) {
  const ServerOptions& options = settings.options;
  return {
      .limits = {.header_bytes_max = options.header_bytes_max,
                 .idle_timeout = options.idle_timeout,
                 .header_timeout = options.header_timeout,
                 .body_timeout = options.body_timeout,
                 .write_timeout = options.write_timeout},
      .counters = settings.counters,
      .headers = std::string(security_headers()),
      .answer = [&settings](Request& request,
                            http::ConnectionInfo& connection) { return answer(settings, request, connection); },
      .accept = [&settings](Request& head,
                            http::ConnectionInfo&) -> asio::awaitable<std::expected<http::BodyPlan, http::Response>> {
        // A table of networks is large, and so is a solution's template; only a program with a token sends one.
        const bool table = (head.path.starts_with("/api/v1/intelligence/") || head.path == "/api/v1/analytics-rules" ||
                            head.path.starts_with("/api/v1/workbooks")) &&
                           !head.header("authorization").empty();
        const bool software = (head.path.starts_with("/api/v1/sbom/") || head.path.starts_with("/api/v1/advisory-feeds/") ||
                               head.path.starts_with("/api/v1/vex/")) &&
                              !head.header("authorization").empty();
        co_return http::BodyPlan{.bytes_max =
                                     table || software ? settings.options.table_bytes_max : settings.options.body_bytes_max};
      },
      .refuse = [](http::ParseError error) { return to_http(Response::error({.code = std::string(code_of(error))})); }};
}

}  // namespace picket::api
