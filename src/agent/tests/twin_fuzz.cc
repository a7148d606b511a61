// Any text as a desired section: the settings stay within the bounds of the table, what is called good is good, and the
// report is JSON that a hub takes.
#include <cstdlib>

#include "agent/twin_client.h"
#include "agent/twin_settings.h"

using namespace picket::agent;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TwinClient client([](std::string_view desired) {
    if (!picket::parse_json(desired)) std::abort();
  });
  client.on_connected({});
  (void)client.next({});
  client.on_message("$iothub/twin/res/200/?$rid=1", text, {});
  client.on_message(text, text, {});
  const auto json = picket::parse_json(text);
  if (!json) return 0;
  const Config local;
  const auto settings = overlay_twin(local, *json, {}, {});
  for (const auto& [key, value] : settings.config.chosen) {
    if (!twin_may_set(key) || value.source != SettingSource::twin) std::abort();
    Config again;
    if (!change_setting(again, key, value.text, SettingSource::twin).empty()) std::abort();
  }
  const auto good = picket::parse_json(settings.good);
  if (!good || overlay_twin(local, *good, {}, {}).invalid != 0) std::abort();
  const std::string report = reported_twin(settings, "1", "[]");
  if (!picket::parse_json(report) || report.size() > 96 << 10) std::abort();
  return 0;
}
