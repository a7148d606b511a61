// Words for tests of hub detections: events and audit records as the hub writes them.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/json_writer.h"
#include "pipeline_harness.h"

namespace picket::pipeline {

/// Members of a hub event: "a.b" goes into the object a; values that begin with a digit, a minus, {, [, or are true or
/// false stand as they are, others are texts.
using Members = std::vector<std::pair<std::string, std::string>>;

inline std::string json_of(const Members& members) {
  const auto raw = [](const std::string& value) {
    static const std::string numbers = "0123456789";
    if (value == "true" || value == "false" || value.starts_with('{') || value.starts_with('[')) return true;
    return !value.empty() && value.find_first_not_of(numbers + "-") == std::string::npos;
  };
  JsonWriter out;
  out.begin_object();
  std::vector<std::string> done;
  for (const auto& [name, value] : members) {
    const auto dot = name.find('.');
    const std::string head = name.substr(0, dot);
    if (std::ranges::find(done, head) != done.end()) continue;
    done.push_back(head);
    out.key(head);
    if (dot == std::string::npos) {
      raw(value) ? out.raw(value) : out.value(value);
      continue;
    }
    Members inner;
    for (const auto& [other, nested] : members) {
      if (other.starts_with(head + ".")) inner.emplace_back(other.substr(head.size() + 1), nested);
    }
    out.raw(json_of(inner));
  }
  return out.end_object().take();
}

/// An event of the operations log. `device` is proven unless `claimed`.
inline TestRecord hub_event(const std::string& kind, Members members = {}, Timestamp time = kNoon,
                            const std::string& device = "device-1", bool claimed = false) {
  JsonWriter ts;
  ts.value(time);
  Members all{{"v", "2"}, {"ts", ts.text().substr(1, ts.text().size() - 2)}, {"kind", kind}, {"hub", "hub"}};
  if (!device.empty()) all.emplace_back(claimed ? "claimed.device" : "identity.device", "\"" + device + "\"");
  all.back().second = device.empty() ? all.back().second : device;
  all.insert(all.end(), members.begin(), members.end());
  return {.body = json_of(all),
          .enqueued = time,
          .identity = {"hub", claimed ? "" : device, "", claimed || device.empty() ? "" : "g1"},
          .properties = {},
          .kind = journal::RecordKind::hub_event};
}
inline TestRecord claimed_event(const std::string& kind, Members members = {}, Timestamp time = kNoon,
                                const std::string& device = "device-1") {
  return hub_event(kind, std::move(members), time, device, true);
}
inline TestRecord auth_failed(const std::string& reason, Members members = {}, Timestamp time = kNoon,
                              const std::string& device = "device-1") {
  members.insert(members.end(), {{"src_ip", "203.0.113.9"}, {"result.code", "401003"}, {"result.reason", reason}});
  return claimed_event("auth_failed", std::move(members), time, device);
}
/// A count of the operations log.
inline TestRecord counted(const std::string& kind, const std::string& operation, std::uint64_t count, Timestamp from,
                          const std::string& device = "device-1", Members members = {},
                          Duration length = Duration::minutes(5)) {
  members.insert(members.end(), {{"operation", operation},
                                 {"window.from", format_rfc3339(from)},
                                 {"window.to", format_rfc3339(from + length)},
                                 {"count", std::to_string(count)}});
  return hub_event(kind, std::move(members), from + length, device);
}
inline TestRecord connect(const std::string& device, Members members = {}, Timestamp time = kNoon) {
  return hub_event("connect", std::move(members), time, device);
}

inline TestRecord audit(const std::string& kind, Members members = {}, Timestamp time = kNoon,
                        const std::string& device = "") {
  members.insert(members.begin(), {{"actor", "alice"}, {"source", "198.51.100.4"}, {"hub", "hub"}});
  return {.body = json_of(members),
          .enqueued = time,
          .identity = {"hub", device, "", ""},
          .properties = {{"kind", kind}},
          .kind = journal::RecordKind::audit};
}
inline TestRecord tick(Timestamp time) {
  return {.enqueued = time, .identity = {"hub", "", "", ""}, .kind = journal::RecordKind::tick};
}

inline std::string property(const AlertChange& alert, std::string_view name) {
  for (const auto& [key, value] : alert.properties) {
    if (key == name) return value;
  }
  return {};
}

/// Newest state of each recommendation of a type: device -> state.
inline std::map<std::string, std::string> states(const EngineHarness& pipeline, std::string_view type) {
  std::map<std::string, std::string> out;
  for (const RecommendationChange& change : pipeline.recommendations) {
    if (change.type == type) out[change.device.device_id] = to_string(change.state);
  }
  return out;
}
/// RecommendationAdditionalData of the newest change of a type.
inline std::string data_of(const EngineHarness& pipeline, std::string_view type) {
  std::string out;
  for (const RecommendationChange& change : pipeline.recommendations) {
    if (change.type == type) out = change.data;
  }
  return out;
}

/// An engine that is saved and loaded into a new one after each record comes to the same results as one that goes on.
inline void expect_restart_safe(const std::vector<TestRecord>& records) {
  EngineHarness steady;
  EngineHarness restarted;
  for (const TestRecord& record : records) {
    steady.feed(record);
    restarted.feed(record);
    restarted.restart();
  }
  EXPECT_EQ(steady.changes, restarted.changes);
  EXPECT_EQ(steady.recommendations, restarted.recommendations);
}

}  // namespace picket::pipeline
