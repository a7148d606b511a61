// Prints one message 3.0 that holds every event, for the check against the JSON Schema.
#include <array>
#include <cstdio>

#include "message/message_builder.h"
#include "message/visit_all_events.h"

namespace {

using namespace picket;
using namespace picket::message;

constexpr std::string_view kId = "0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10";

}  // namespace

int main() {
  const Timestamp now{1'795'000'000'123'456};
  MessageBuilder builder;
  bool good = true;
  visit_all_events([&](const auto& item) { good = good && builder.add(encode_event({kId, now, 60}, item)); });
  const std::array<std::uint32_t, 2> gaps{10, 20};
  const std::array extra{Detail{"a", "b"}};
  good = good && builder.add(encode_event({kId, now}, ConnectionCreate{.remote_address = "::1",
                                                                       .remote_port = "22-23",
                                                                       .gaps_ms = gaps,
                                                                       .hit_count = 3,
                                                                       .start_time_utc = now,
                                                                       .extra_details = extra}));
  good = good && builder.add(encode_event({kId, now}, SystemInformation{.nics = R"([{"Name":"eth0"}])"}));
  good = good && builder.add(encode_event({kId, now}, std::span<const LocalUsers>{}));
  std::puts(builder
                .finish({.agent_version = "0.1.0",
                         .agent_id = kId,
                         .sent = now,
                         .boot_id = kId,
                         .monotonic_ms = 1,
                         .stream_epoch = kId,
                         .sequence = 1})
                .c_str());
  return good ? 0 : 1;
}
