#include <thread>

#include "fixture.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string joined(Live::Reader& reader) {
  std::string out;
  const auto frames = reader.next(10'000);
  if (!frames) return "closed";
  for (const auto& frame : *frames) out += *frame;
  return out;
}

TEST(Live, AReaderSeesWhatComesAfterItAndResumesWhereItStopped) {
  Live live("e");
  live.alert("{\"n\":1}");
  const auto reader = live.subscribe("", [] {});
  EXPECT_EQ(joined(*reader), "");
  live.alert("{\"n\":2}");
  EXPECT_EQ(joined(*reader), "id: e.2\nevent: alert\ndata: {\"n\":2}\n\n");
  const auto resumed = live.subscribe("e.1", [] {});
  EXPECT_EQ(joined(*resumed), "id: e.2\nevent: alert\ndata: {\"n\":2}\n\n");
}

TEST(Live, AReaderWhosePlaceIsUnknownIsToldToReload) {
  Live live("e");
  for (std::size_t i = 0; i < kLiveEventsKept + 2; ++i) live.alert("{}");
  for (const auto* id : {"e.1", "earlier.5", "e.99999", "nonsense", "e.", "e.1x"})
    EXPECT_THAT(joined(*live.subscribe(id, [] {})), HasSubstr("event: reset")) << id;
  EXPECT_THAT(joined(*live.subscribe("e.2", [] {})), Not(HasSubstr("event: reset")))
      << "the oldest that is still complete";
}

TEST(Live, AReaderThatFallsBehindTheRingIsClosed) {
  Live live("e");
  const auto reader = live.subscribe("", [] {});
  for (std::size_t i = 0; i < kLiveEventsKept; ++i) live.alert("{}");
  EXPECT_NE(joined(*reader), "closed");
  for (std::size_t i = 0; i < kLiveEventsKept + 1; ++i) live.alert("{}");
  EXPECT_EQ(joined(*reader), "closed");
  EXPECT_EQ(live.readers_behind(), 1u);
}

TEST(Live, NoMoreReadersThanTheBound) {
  Live live("e");
  std::vector<std::unique_ptr<Live::Reader>> readers;
  for (std::size_t i = 0; i < kLiveReadersMax; ++i) readers.push_back(live.subscribe("", [] {}));
  EXPECT_EQ(live.subscribe("", [] {}), nullptr);
  EXPECT_EQ(live.readers_refused(), 1u);
  readers.pop_back();
  EXPECT_NE(live.subscribe("", [] {}), nullptr);
}

TEST(Live, ADataLineStaysOneLine) {
  Live live("e");
  const auto reader = live.subscribe("", [] {});
  live.device("{\n\"a\":1}\r\n");
  EXPECT_THAT(joined(*reader), HasSubstr("data: {\"a\":1}\n\n"));
}

TEST_F(ApiTest, AnAlertReachesAnOpenStream) {
  start();
  const std::jthread publisher([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (live_.readers() > 0) live_.alert(R"({"change":"raised"})");
    }
  });
  const auto session = session_of(sign_in("viewer", secret_of("viewer")));
  const std::string text = client_->read_stream("/api/v1/events", session, {},
                                                [](std::string_view seen) { return seen.contains("event: alert"); });
  EXPECT_THAT(text, ::testing::StartsWith("retry: 2000\n\n"));
  EXPECT_THAT(text, HasSubstr("event: alert\ndata: {\"change\":\"raised\"}\n\n"));
}

TEST_F(ApiTest, AStreamCarriesChangedDevicesAndStatistics) {
  start();
  ASSERT_TRUE(devices_->add("picket", "d1", "g", {"test", ""}, clock_.now()).has_value());
  const std::jthread mover([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      live_.device_changed("d1");
      clock_.advance(Duration::seconds(1));
    }
  });
  const std::string text = client_->read_stream("/api/v1/events", admin(), {}, [](std::string_view seen) {
    return seen.contains("event: device") && seen.contains("event: stats");
  });
  EXPECT_THAT(text, HasSubstr("\"deviceId\":\"d1\""));
  EXPECT_THAT(text, HasSubstr("\"pipeline\":{\"lag_records\":7,\"lag_ms\":1.5}"));
}

TEST_F(ApiTest, ASilentStreamIsKeptAliveAndStoppingEndsIt) {
  start({.live_heartbeat = Duration::milliseconds(50)});
  EXPECT_THAT(client_->read_stream("/api/v1/events", admin(), {},
                                   [](std::string_view seen) { return seen.contains(": still here"); }),
              HasSubstr(": still here"));
  while (live_.readers() != 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the next heartbeat finds the first one gone
  std::string rest;
  std::jthread reader([&] {
    rest = client_->read_stream("/api/v1/events", admin(), {"Last-Event-ID: gone.1"},
                                [](std::string_view) { return false; });
  });
  while (live_.readers() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  server_->stop();
  reader.join();
  EXPECT_THAT(rest, HasSubstr("event: reset"));
}

TEST_F(ApiTest, AStreamEndsWithItsSession) {
  start({.live_heartbeat = Duration::milliseconds(50)});
  const Credentials session = session_of(sign_in("viewer", secret_of("viewer")));
  bool ended = false;
  const std::string stream = client_->read_stream("/api/v1/events", session, {}, [&](std::string_view text) {
    if (!ended && text.contains("still here")) {
      ended = true;
      EXPECT_EQ(client_->call("POST", "/api/v1/sign-out", "", session).status, 204);
    }
    return false;  // only the server ends it
  });
  EXPECT_TRUE(ended);
  std::size_t beats = 0;
  for (auto at = stream.find("still here"); at != std::string::npos; at = stream.find("still here", at + 1)) ++beats;
  EXPECT_LT(beats, 10u) << "the stream went on until the client gave up";
}

TEST_F(ApiTest, AStreamNeedsACaller) {
  start();
  EXPECT_EQ(client_->get("/api/v1/events").status, 401);
}

TEST(EventRate, CountsByMinuteAndForgetsAfterAnHour) {
  EventRate rate;
  const Timestamp now = parse_rfc3339("2026-11-21T10:30:30Z").value();
  rate.add(now - Duration::minutes(59), 1);
  rate.add(now - Duration::minutes(60), 100);
  rate.add(now, 3);
  rate.add(now - Duration::seconds(2), 10);
  const auto minutes = rate.per_minute(now);
  ASSERT_EQ(minutes.size(), 60u);
  EXPECT_EQ(minutes.front().count, 1u);
  EXPECT_EQ(minutes.back().count, 13u);
  EXPECT_EQ(minutes.back().start, parse_rfc3339("2026-11-21T10:30:00Z").value());
  EXPECT_DOUBLE_EQ(rate.per_second(now), 2.0) << "the second that still runs does not count";
}

}  // namespace
}  // namespace picket::api::testing
