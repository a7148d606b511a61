#include "pay.h"

#include <algorithm>
#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace picket::hub {
namespace {

namespace asio = boost::asio;

constexpr Duration kPauseStep = Duration::milliseconds(250);

void log_refusal(Call& call, std::string_view what, int code) {
  HubEvent event{.time = call.now(), .kind = HubEventKind::throttled};
  event.protocol = call.route->access == Access::service ? "service" : "https";
  event.source_address = call.stream->peer().address;
  event.source_port = call.stream->peer().port;
  event.code = code;
  event.reason = what;
  if (const auto* device = std::get_if<DeviceCaller>(&call.caller)) {
    event.identity = device->identity();
    event.authenticated = true;
  } else if (const auto* service = std::get_if<ServiceCaller>(&call.caller)) {
    event.identity.hub = service->hub;
    event.actor = service->actor().user;
  }
  ++call.context.counters.throttled;
  call.context.needs.log.record(event);
}

/// In steps, so that a head that stops is not waited for.
asio::awaitable<void> pause(Call& call, Duration how_long) {
  while (how_long.us > 0 && !call.context.stopping) {
    const Duration step = std::min(how_long, kPauseStep);
    asio::steady_timer timer(call.executor(), std::chrono::microseconds(step.us));
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    how_long = how_long - step;
  }
}

void count_refusal(const Call& call, int code, std::string_view reason) {
  auto* const counters = call.context.needs.counters;
  if (counters == nullptr) return;
  counters->fail({.identity = call.device().identity(),
                  .operation = Operation::d2c_message,
                  .protocol = Protocol::https,
                  .code = code,
                  .reason = reason,
                  .source_address = call.stream->peer().address},
                 call.now());
}

Verdict take(Call& call, Throttle& throttle, Meter meter, double amount) {
  const Duration now = call.context.needs.clock.monotonic();
  if (const auto* device = std::get_if<DeviceCaller>(&call.caller))
    return throttle.take(key_of(device->identity()), meter, amount, now);
  return throttle.take_of_hub(call.service().hub, meter, amount, now);
}

}  // namespace

asio::awaitable<HubResult<>> pay(Call& call, Meter meter, double amount) {
  Throttle* const throttle = call.context.needs.throttle;
  if (throttle == nullptr) co_return HubResult<>{};
  const Verdict verdict = take(call, *throttle, meter, amount);
  if (verdict.refused) {
    log_refusal(call, "rate", codes::kThrottled);
    call.retry_after_s = static_cast<int>(verdict.delay.us / 1'000'000) + 1;
    co_return hub_fail(codes::kThrottled, "Too many requests for this hub.");
  }
  co_await pause(call, verdict.delay);
  co_return HubResult<>{};
}

asio::awaitable<HubResult<>> pay_messages(Call& call, std::size_t count, std::uint64_t blocks) {
  auto paid = co_await pay(call, Meter::d2c_messages, static_cast<double>(count));
  Throttle* const throttle = call.context.needs.throttle;
  if (!paid) count_refusal(call, paid.error().code, "rate");
  if (!paid || throttle == nullptr) co_return paid;
  if (throttle->take_of_day(call.device().identity().hub, blocks, call.now())) co_return paid;
  log_refusal(call, "messages_per_day", codes::kQuotaExceeded);
  count_refusal(call, codes::kQuotaExceeded, "messages_per_day");
  co_return hub_fail(codes::kQuotaExceeded, "The messages of today are used up.");
}

}  // namespace picket::hub
