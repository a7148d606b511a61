#include "http/deadline.h"

#include <chrono>

#include <boost/asio/steady_timer.hpp>

namespace picket::http {

namespace asio = boost::asio;

struct Deadline::State {
  State(asio::any_io_executor executor, net::Stream& stream_in, std::atomic<std::uint64_t>& expired_in)
      : timer(std::move(executor)), stream(stream_in), expired(expired_in) {}
  asio::steady_timer timer;
  net::Stream& stream;
  std::atomic<std::uint64_t>& expired;
  std::uint64_t generation = 0;
};

Deadline::Deadline(net::Stream& stream, std::atomic<std::uint64_t>& expired)
    : state_(std::make_shared<State>(stream.executor(), stream, expired)) {}

Deadline::~Deadline() { clear(); }

void Deadline::set(Duration after) {
  const auto generation = ++state_->generation;
  state_->timer.expires_after(std::chrono::microseconds(after.us));
  state_->timer.async_wait([state = state_, generation](const boost::system::error_code& error) {
    if (error || state->generation != generation) return;  // set anew, or gone, while this was on its way
    ++state->expired;
    state->stream.close();
  });
}

void Deadline::clear() {
  ++state_->generation;
  state_->timer.cancel();
}

}  // namespace picket::http
