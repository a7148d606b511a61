#include "event_filter.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace picket::hub::amqp {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Result<EventStart> read_expression(std::string_view text) {
  constexpr std::string_view kPrefix = "amqp.annotation.";
  const auto bad = fail(Errc::malformed, "amqp.filter");
  const auto sign = text.find('>');
  if (sign == std::string_view::npos) return bad;
  EventStart out{.inclusive = text.substr(sign).starts_with(">=")};
  auto name = trimmed(text.substr(0, sign));
  auto value = trimmed(text.substr(sign + (out.inclusive ? 2 : 1)));
  if (!name.starts_with(kPrefix)) return bad;
  name.remove_prefix(kPrefix.size());
  if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'') value = value.substr(1, value.size() - 2);
  if (name == "x-opt-offset" && (value == "@latest" || value == "-1")) {
    out.kind = value == "-1" ? EventStart::Kind::earliest : EventStart::Kind::latest;
    return out;
  }
  const auto parsed = number(value);
  if (!parsed) return bad;
  if (name == "x-opt-enqueued-time") {
    constexpr std::int64_t kMsMax = kTimestampMax.us / 1000;
    out.kind = EventStart::Kind::time;
    out.time = Timestamp{std::clamp(*parsed, std::int64_t{0}, kMsMax) * 1000};
  } else if (name == "x-opt-offset" || name == "x-opt-sequence-number") {
    out.kind = *parsed < 0 ? EventStart::Kind::earliest : EventStart::Kind::sequence;
    out.sequence = *parsed < 0 ? 0 : static_cast<std::uint64_t>(*parsed);
  } else {
    return bad;
  }
  return out;
}

}  // namespace

Result<EventStart> read_event_filter(const Map& filter) {
  for (const auto& [key, value] : filter) {
    const auto* described = value.get<Described>();
    const auto text = described != nullptr ? described->value.front().text() : value.text();
    if (text) return read_expression(*text);
  }
  return EventStart{.kind = EventStart::Kind::latest};
}

}  // namespace picket::hub::amqp
