// What operations cost of the hub's rates (spec/hub.md 1.8): first they wait, then they are refused.
#include "connection.h"

namespace picket::hub::amqp {
namespace {

/// Who is slowed for long is logged this often.
constexpr Duration kLogEvery = Duration::minutes(1);
/// How long a hub whose day is used up is not asked again.
constexpr Duration kDayWait = Duration::seconds(10);

std::string_view name_of(Meter meter) {
  switch (meter) {
    case Meter::connects:
      return "connects";
    case Meter::d2c_messages:
      return "d2c_messages";
    case Meter::c2d_messages:
      return "c2d_messages";
    case Meter::twin_reads:
      return "twin_reads";
    case Meter::twin_updates:
      return "twin_updates";
    default:
      return "rate";
  }
}

}  // namespace

std::expected<Duration, Connection::Refused> Connection::pay(const Identity& who, Meter meter, double amount) {
  const auto verdict = rim_.take(key_of(who), meter, amount);
  if (verdict.refused || verdict.delay.us != 0) throttled(who, name_of(meter), kThrottled);
  if (verdict.refused) {
    return std::unexpected(Refused{{kThrottled, "Too many requests; try again later."}, verdict.delay});
  }
  if (verdict.delay.us != 0) rim_.wake_after(verdict.delay);
  return rim_.monotonic() + verdict.delay;
}

std::expected<Duration, Connection::Refused> Connection::pay_messages(const Identity& who, std::size_t count,
                                                                      std::uint64_t blocks) {
  auto due = pay(who, Meter::d2c_messages, static_cast<double>(count));
  if (!due || rim_.take_of_day(who.hub, blocks)) return due;
  throttled(who, "messages_per_day", kQuotaExceeded);
  return std::unexpected(Refused{{kQuotaExceeded, "The messages of today are used up."}, kDayWait});
}

void Connection::throttled(const Identity& who, std::string_view what, int code) {
  rim_.throttled();
  const auto now = rim_.monotonic();
  auto* const device = find_device(who.device_id, who.module_id);
  auto& logged = device == nullptr ? throttle_logged_ : device->throttle_logged;
  if (logged && now < *logged + kLogEvery) return;
  logged = now;
  auto event = event_of(HubEventKind::throttled, who);
  event.authenticated = true;  // who pays has proven who it is
  if (const auto* policy = service_named(who.hub); policy != nullptr && who.device_id.empty()) {
    event.actor = "policy/" + policy->policy;
  }
  event.reason = what;
  event.code = code;
  rim_.log(std::move(event));
}

}  // namespace picket::hub::amqp
