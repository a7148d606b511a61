// Lists and maps of a payload item: left out when empty. Included by the generated encoders.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/core/json_writer.h"
#include "message/event.h"

namespace picket::message {

inline void put_list(JsonWriter& json, std::string_view key, std::span<const std::uint32_t> numbers) {
  if (numbers.empty()) return;
  json.key(key).begin_array();
  for (const std::uint32_t number : numbers) json.value(number);
  json.end_array();
}

inline void put_list(JsonWriter& json, std::string_view key, std::span<const std::string_view> texts) {
  if (texts.empty()) return;
  json.key(key).begin_array();
  for (const std::string_view text : texts) json.value(text);
  json.end_array();
}

inline void put_list(JsonWriter& json, std::string_view key, std::span<const Detail> details) {
  if (details.empty()) return;
  json.key(key).begin_object();
  for (const Detail& detail : details) json.key(detail.key).value(detail.value);
  json.end_object();
}

}  // namespace picket::message
