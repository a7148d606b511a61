// What a link's address means. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace picket::hub::amqp {

enum class AddressKind : std::uint8_t {
  unknown,
  cbs,
  // of a device or module
  telemetry,  ///< …/messages/events
  commands,   ///< …/messages/devicebound
  methods,    ///< …/methods/devicebound
  twin,       ///< …/twin
  // of the service
  devicebound,         ///< /messages/devicebound
  feedback,            ///< /messages/serviceBound/feedback
  file_notifications,  ///< /messages/serviceBound/filenotifications
  events_redirect,     ///< /messages/events…: the built-in endpoint is elsewhere
  events,              ///< {entity}/ConsumerGroups/{group}/Partitions/{n}
  management,          ///< $management
};

struct Address {
  AddressKind kind = AddressKind::unknown;
  std::string device_id;  ///< Percent-decoded.
  std::string module_id;
  std::string entity;  ///< events: the Event-Hub-compatible name.
  std::string group;
  std::uint32_t partition = 0;
  std::string path;  ///< Without scheme and host; begins with '/', but for $cbs and $management.
};

/// Scheme and host (`amqps://host`) and a leading '/' may be there or not. Ids are taken percent-encoded or as they
/// are: a
/// '%' that begins no valid escape is itself.
Address parse_address(std::string_view text);

/// A resource as tokens name it (`name` of put-token, `sr`), decoded: host, and device and module if it names one.
struct Resource {
  std::string host;  ///< Lower case, without port.
  std::string device_id;
  std::string module_id;
  std::string path;  ///< Behind the host, without a leading '/'.
};
/// "host/devices/d", percent-encoded as a whole or not, also "sb://host/entity/…" and "amqps://host/…".
Resource split_resource(std::string_view text);

/// `outer` is `inner`, or a prefix of it that ends with a whole segment; hosts are compared without case, ports and
/// schemes are left out.
bool covers(std::string_view outer, std::string_view inner);

bool same_without_case(std::string_view a, std::string_view b);

}  // namespace picket::hub::amqp
