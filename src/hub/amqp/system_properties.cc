#include "system_properties.h"

#include <algorithm>

namespace picket::hub::amqp {
namespace {

struct Place {
  std::string_view name;
  void (*put)(Message& message, std::string_view value);
};
constexpr Place kPlaces[] = {
    {"$.mid", [](Message& message, std::string_view value) { message.message_id = value; }},
    {"$.cid", [](Message& message, std::string_view value) { message.correlation_id = value; }},
    {"$.uid", [](Message& message, std::string_view value) { message.user_id = value; }},
    {"$.to", [](Message& message, std::string_view value) { message.to = value; }},
    {"$.ct", [](Message& message, std::string_view value) { message.content_type = value; }},
    {"$.ce", [](Message& message, std::string_view value) { message.content_encoding = value; }},
    {"$.ifid", [](Message& message,
                  std::string_view value) { message.annotations.emplace_back(Symbol{"iothub-interface-id"}, value); }},
    {"$.sub",
     [](Message& message, std::string_view value) { message.annotations.emplace_back(Symbol{"dt-subject"}, value); }},
};

}  // namespace

void put_property(Message& message, std::string_view name, std::string_view value) {
  const auto* const place = std::ranges::find(kPlaces, name, &Place::name);
  if (place != std::end(kPlaces)) return place->put(message, value);
  if (!name.starts_with("$.")) message.application.emplace_back(name, value);
}

}  // namespace picket::hub::amqp
