// pipeline_replay FILE...: what the pipeline makes of recorded events, one JSON line an alert. For whoever writes
// rules.
#include <cstdio>

#include "recorded.h"

using namespace picket;
using namespace picket::pipeline;

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    EngineHarness pipeline;
    const Recording recording = read_recording(argv[i]);
    replay(pipeline, recording);
    for (const AlertChange& alert : pipeline.alerts()) {
      JsonWriter out;
      out.begin_object().key("file").value(recording.name).key("type").value(alert.alert_type);
      out.key("severity").value(alert.severity).key("rule").value(alert.rule);
      out.key("count").value(static_cast<std::int64_t>(alert.count)).key("techniques").begin_array();
      for (const std::string& one : alert.techniques) out.value(one);
      for (const std::string& one : alert.sub_techniques) out.value(one);
      out.end_array().key("properties").begin_object();
      for (const auto& [key, value] : alert.properties) out.key(key).value(value);
      std::printf("%s\n", std::string(out.end_object().end_object().text()).c_str());
    }
  }
  return ::testing::Test::HasFailure() ? 1 : 0;
}
