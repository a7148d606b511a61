// agent.toml and connection strings: any bytes give settings or a text; no text shows a key.
#include <cstdlib>
#include <string>

#include "agent/config.h"
#include "agent/toml.h"
#include "base/core/encoding.h"

using namespace picket::agent;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto entries = parse_toml(text)) {
    for (const TomlEntry& entry : *entries) {
      if (entry.line == 0 || entry.key.empty()) std::abort();
      if (const auto* value = std::get_if<std::string>(&entry.value); value != nullptr && !picket::is_utf8(*value)) {
        std::abort();
      }
    }
  } else if (entries.error().line == 0 || entries.error().text.empty()) {
    std::abort();
  }
  const auto config = load_config({.file_path = "f", .file_text = text});
  if (!config && config.error().empty()) std::abort();
  if (const auto identity = parse_connection_string(text)) {
    if (identity->key.empty() || identity->device_id.empty() || identity->endpoint.port == 0) std::abort();
    (void)make_sas_token(*identity, {});
  }
  (void)parse_duration(text);
  (void)parse_bytes(text);
  return 0;
}
