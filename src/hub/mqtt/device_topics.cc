#include "device_topics.h"

#include <algorithm>
#include <charconv>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"

namespace picket::hub {
namespace {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::optional<std::string_view> parameter_of(std::string_view tail, std::string_view name) {
  consume(tail, "?");
  while (!tail.empty()) {
    const auto end = tail.find('&');
    auto part = tail.substr(0, end);
    if ((consume(part, "$") || consume(part, "%24")) && consume(part, name) && consume(part, "=")) {
      if (part.empty() || part.size() > kRequestIdBytesMax) return std::nullopt;
      return part;
    }
    if (end == std::string_view::npos) break;
    tail.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::string twin_response_topic(int status, std::string_view request_id, std::optional<std::uint64_t> version) {
  std::string out = "$iothub/twin/res/" + std::to_string(status) + "/?$rid=";
  out.append(request_id);
  if (version) out.append("&$version=").append(std::to_string(*version));
  return out;
}

std::string desired_topic(std::uint64_t version) {
  return "$iothub/twin/PATCH/properties/desired/?$version=" + std::to_string(version);
}

std::string error_body(const HubError& error) {
  JsonWriter json;
  json.begin_object().key("errorCode").value(error.code).key("message").value(error.message).end_object();
  return json.take();
}

std::string method_topic(std::string_view name, std::uint64_t call) {
  return "$iothub/methods/POST/" + percent_encode(name) + "/?$rid=" + std::to_string(call);
}

std::optional<MethodAnswer> parse_method_answer(std::string_view tail) {
  const auto slash = tail.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto status = number_of<int>(tail.substr(0, slash));
  const auto request_id = request_id_of(tail.substr(slash + 1));
  if (!status || !request_id) return std::nullopt;
  const auto call = number_of<std::uint64_t>(*request_id);
  if (!call) return std::nullopt;
  return MethodAnswer{*status, *call};
}

std::string command_topic(std::string_view device_id, std::string_view module_id, const Command& command) {
  std::string prefix = "devices/" + std::string(device_id) + "/";
  std::string address = "/devices/" + std::string(device_id) + "/";
  const auto given =
      std::ranges::find(command.properties, mqtt::system_property::kTo, &std::pair<std::string, std::string>::first);
  if (module_id.empty()) {
    prefix += "messages/devicebound/";
    address += "messages/devicebound";
  } else {
    constexpr std::string_view kInputs = "/inputs/";
    std::string_view input = "input1";
    if (given != command.properties.end()) {
      const std::string_view to = given->second;
      const auto at = to.rfind(kInputs);
      if (at != std::string_view::npos && at + kInputs.size() < to.size()) input = to.substr(at + kInputs.size());
    }
    const auto module = "modules/" + std::string(module_id) + "/inputs/";
    prefix += module + percent_encode(input) + "/";
    address += module + std::string(input);
  }
  mqtt::PropertyBag bag;
  if (given == command.properties.end()) bag.add(mqtt::system_property::kTo, address);
  for (const auto& [name, value] : command.properties) bag.add(name, value);
  return prefix + mqtt::encode_property_bag(bag);
}

std::uint16_t command_packet_id(std::uint64_t sequence) { return static_cast<std::uint16_t>(sequence % 0xffff + 1); }

}  // namespace picket::hub
