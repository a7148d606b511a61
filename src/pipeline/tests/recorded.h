// Events as a real agent told them while something was really executed: tests/recorded/*.events.
//
// A line is an event, "TIME NAME {item}"; one that begins with '#' is about the file:
//   # expect IoT_Ransomware T1486   an alert of this type that names this technique is raised
//   # quiet                         no alert of Medium or above
#pragma once

#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/json_writer.h"
#include "base/core/time.h"
#include "pipeline_harness.h"

namespace picket::pipeline {

struct RecordedEvent {
  Timestamp time;
  std::string name;
  std::string item;  ///< JSON.
};

struct Recording {
  std::string name;
  std::vector<std::pair<std::string, std::string>> expected;  ///< Alert type and technique.
  bool quiet = false;
  std::vector<RecordedEvent> events;
};

/// Reads one file; a line that is neither fails the test that asks.
inline Recording read_recording(const std::filesystem::path& path) {
  Recording out{.name = path.stem().string(), .expected = {}, .events = {}};
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) {
      std::istringstream words(line.substr(1));
      std::string word, type, technique;
      words >> word >> type >> technique;
      if (word == "expect") out.expected.emplace_back(type, technique);
      if (word == "quiet") out.quiet = true;
      continue;
    }
    const auto first = line.find(' ');
    const auto second = line.find(' ', first + 1);
    const auto time = parse_rfc3339(line.substr(0, first));
    if (!time || second == std::string::npos) {
      ADD_FAILURE() << path << ": no event: " << line.substr(0, 80);
      continue;
    }
    out.events.push_back({*time, line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return out;
}

/// Sends each event as the message of its own that it was, then lets `after` pass. `sent` is called behind each.
inline void replay(EngineHarness& pipeline, const Recording& recording, Duration after = Duration::minutes(10),
                   const std::string& device = "device-1", const std::function<void()>& sent = {}) {
  Timestamp end{};
  std::size_t number = 0;
  const auto send = [&](Timestamp time, const std::string& name, const std::string& item) {
    JsonWriter json;
    json.begin_object().key("Id").value(recording.name + "-" + std::to_string(++number));
    json.key("TimestampLocal").value(time).key("TimestampUTC").value(time).key("Category").value("Triggered");
    json.key("Name").value(name).key("EventType").value("Security").key("IsEmpty").value(false);
    json.key("PayloadSchemaVersion").value("1.0").key("Payload").begin_array().raw(item).end_array().end_object();
    const std::string head = R"({"AgentVersion":"1","AgentId":"a","MessageSchemaVersion":"3.0","Events":[)";
    pipeline.feed({.body = head + std::string(json.text()) + "]}",
                   .enqueued = time,
                   .identity = {"hub", device, "DefenderIotMicroAgent", "g1"}});
    if (sent) sent();
  };
  for (const RecordedEvent& event : recording.events) {
    end = std::max(end, event.time);
    send(event.time, event.name, event.item);
  }
  // Late findings and counts are told when time goes on.
  for (const Duration step : {Duration::minutes(1), Duration::minutes(6), after}) {
    send(end + step, "Heartbeat", R"({"Sequence":1})");
  }
}

inline bool names_technique(const AlertChange& alert, const std::string& technique) {
  return std::ranges::find(alert.techniques, technique) != alert.techniques.end() ||
         std::ranges::find(alert.sub_techniques, technique) != alert.sub_techniques.end();
}

}  // namespace picket::pipeline
