#include <algorithm>

#include "base/core/byte_writer.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "pipeline/alert.h"
#include "pipeline/incident.h"
#include "pipeline/recommendation.h"

namespace picket::pipeline {

namespace {

/// RFC 9562 version 8: a UUID of one's own making.
std::string uuid_of(Bytes text) {
  Sha256 hash = sha256(text);
  hash[6] = (hash[6] & std::byte{0x0F}) | std::byte{0x80};
  hash[8] = (hash[8] & std::byte{0x3F}) | std::byte{0x80};
  std::string id = to_hex(Bytes(hash).first(16));
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) id.insert(dash, 1, '-');
  return id;
}

}  // namespace

std::string make_alert_id(std::string_view rule, const Identity& device, std::string_view group_key,
                          Timestamp window_start) {
  Buffer text;
  ByteWriter out(text);
  for (const std::string_view part : {rule, std::string_view(device.hub), std::string_view(device.device_id),
                                      std::string_view(device.generation_id), group_key}) {
    out.le(static_cast<std::uint64_t>(part.size())).text(part);
  }
  out.le(static_cast<std::uint64_t>(window_start.us));
  return uuid_of(text);
}

std::string make_recommendation_id(std::string_view hub, std::string_view device_id, std::string_view type) {
  Buffer text;
  ByteWriter out(text);
  for (const std::string_view part : {std::string_view("recommendation"), hub, device_id, type}) {
    out.le(static_cast<std::uint64_t>(part.size())).text(part);
  }
  return uuid_of(text);
}

std::string make_incident_id(std::string_view kind, std::string_view hub, std::string_view key,
                             Timestamp window_start) {
  Buffer text;
  ByteWriter out(text);
  for (const std::string_view part : {std::string_view("incident"), kind, hub, key}) {
    out.le(static_cast<std::uint64_t>(part.size())).text(part);
  }
  out.le(static_cast<std::uint64_t>(window_start.us));
  return uuid_of(text);
}

std::string hub_resource_id(std::string_view installation_id, std::string_view hub) {
  std::string id = "/subscriptions/";
  id += installation_id;
  id += "/resourcegroups/picket/providers/microsoft.devices/iothubs/";
  id += hub;
  std::ranges::transform(id, id.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return id;
}

}  // namespace picket::pipeline
