// Events a second of one core: decode, de-duplicate, enrich, detect, make rows. Messages of 10 events, half of them
// process events, from 1,000 devices; no disk.
#include <cstdio>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "pipeline_harness.h"

namespace {

using namespace picket;
using namespace picket::pipeline;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) / 1e6;
}

std::vector<TestEvent> ten_events(int number) {
  std::vector<TestEvent> out;
  for (int i = 0; i < 5; ++i) {
    out.push_back(process("/usr/bin/sensor-read",
                          "/usr/bin/sensor-read --channel " + std::to_string(i) + " --cycle " + std::to_string(number),
                          {{"ProcessId", std::to_string(2000 + i)},
                           {"ParentProcessId", "731"},
                           {"UserId", "1000"},
                           {"UserName", "operator"},
                           {"ParentExecutable", "/usr/sbin/plc-runtime"}}));
    out.push_back({"ConnectionCreate",
                   {{"RemoteAddress", "198.51.100.7"},
                    {"RemotePort", "8883"},
                    {"Direction", "Out"},
                    {"Protocol", "tcp"},
                    {"ProcessId", "731"},
                    {"Executable", "/usr/sbin/plc-runtime"}},
                   kNoon,
                   ""});
  }
  return out;
}

}  // namespace

int main() {
  constexpr int kMessages = 20'000;
  std::vector<std::string> bodies;
  for (int i = 0; i < kMessages; ++i) bodies.push_back(message_json(ten_events(i)));
  const workspace::Schema schema = make_workspace_schema();
  for (const bool with_id : {true, false}) {
    Engine engine({"installation", {1, 2}}, Catalogue::builtin(), schema);
    RowBatch batch;
    std::vector<DerivedChange> changes;
    std::uint64_t rows = 0;
    const double begin = cpu_seconds();
    for (int i = 0; i < kMessages; ++i) {
      const Identity identity{"hub", "device-" + std::to_string(i % 1000), "DefenderIotMicroAgent", "g"};
      const std::string message_id = std::to_string(i);
      const journal::Property properties[] = {{"$.ifid", kSecurityInterface}, {"$.mid", message_id}};
      journal::RecordView record;
      record.identity = identity;
      record.enqueued = noon(i / 2000);
      record.properties = std::span(properties).first(with_id ? 2 : 1);
      record.body = as_bytes(bodies[static_cast<std::size_t>(i)]);
      record.id = {0, static_cast<std::uint64_t>(i) + 1};
      engine.process(record, batch, changes);
      if (i % 50 == 49) {
        rows += batch.rows().size();
        batch.clear();
      }
    }
    const double seconds = cpu_seconds() - begin;
    std::printf("events_per_cpu_s_%s %.0f 1/s\n", with_id ? "message_id" : "event_id",
                static_cast<double>(rows) / seconds);
  }
}
