// Any bytes are JSON or not; of JSON, the children that a walk finds are JSON too and lie within their parent, in
// order.
#include <cstdlib>

#include "base/core/encoding.h"
#include "base/core/json_reader.h"

using picket::Json;

namespace {

void walk(Json json) {
  const char* last = json.raw().data();
  const auto child = [&](Json value) {
    if (value.raw().data() <= last || value.raw().data() + value.raw().size() > json.raw().data() + json.raw().size()) {
      std::abort();
    }
    last = value.raw().data();
    const auto again = picket::parse_json(value.raw());
    if (!again || again->raw() != value.raw() || again->kind() != value.kind()) std::abort();
    walk(value);
  };
  json.for_members([&](std::string_view, Json value) { child(value); });
  json.for_items([&](Json value) { child(value); });
  if (const auto text = json.text(); text && !picket::is_utf8(*text)) std::abort();
  (void)json.integer();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto json = picket::parse_json({reinterpret_cast<const char*>(data), size})) walk(*json);
  return 0;
}
