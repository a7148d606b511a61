#include "peripheral/uevent_message.h"

#include <algorithm>
#include <charconv>

namespace picket::agent {
namespace {

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Text up to the next `mark`, which is taken away too.
std::string_view next_part(std::string_view& rest, char mark) {
  const auto part = rest.substr(0, rest.find(mark));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return part;
}

bool leads_astray(std::string_view path) {
  return !path.starts_with("/devices/") || path.find("/../") != std::string_view::npos || path.ends_with("/..");
}

/// The texts of a message that a Uevent is made of.
struct Keys {
  std::string_view action, path, old_path, subsystem, device_type, interface, product, type, bus, number;
};

Keys read_keys(std::string_view rest) {
  Keys keys;
  const std::pair<std::string_view, std::string_view Keys::*> wanted[] = {
      {"ACTION", &Keys::action},       {"DEVPATH", &Keys::path},        {"DEVPATH_OLD", &Keys::old_path},
      {"SUBSYSTEM", &Keys::subsystem}, {"DEVTYPE", &Keys::device_type}, {"INTERFACE", &Keys::interface},
      {"PRODUCT", &Keys::product},     {"TYPE", &Keys::type},           {"BUSNUM", &Keys::bus},
      {"DEVNUM", &Keys::number}};
  while (!rest.empty()) {
    auto value = next_part(rest, '\0');
    if (value.find('=') == std::string_view::npos) continue;
    const auto key = next_part(value, '=');
    for (const auto& [name, member] : wanted) {
      if (key == name) keys.*member = value;
    }
  }
  return keys;
}

std::optional<Uevent::Action> action_of(std::string_view text) {
  if (text == "add") return Uevent::Action::add;
  if (text == "remove") return Uevent::Action::remove;
  if (text == "move") return Uevent::Action::move;
  return std::nullopt;
}

std::optional<Uevent::Kind> kind_of(const Keys& keys) {
  if (keys.subsystem == "net" && !keys.interface.empty()) return Uevent::Kind::network;
  if (keys.subsystem != "usb") return std::nullopt;
  if (keys.device_type == "usb_device") return Uevent::Kind::usb_device;
  if (keys.device_type == "usb_interface") return Uevent::Kind::usb_interface;
  return std::nullopt;
}

}  // namespace

std::optional<UsbClass> parse_usb_class(std::string_view text) {
  const auto code = number<std::uint8_t>(next_part(text, '/'));
  const auto sub_class = number<std::uint8_t>(next_part(text, '/'));
  const auto protocol = number<std::uint8_t>(text);
  if (!code || !sub_class || !protocol) return std::nullopt;
  return UsbClass{*code, *sub_class, *protocol};
}

std::optional<Uevent> parse_uevent(Bytes message) {
  std::string_view rest = as_text(message);
  if (next_part(rest, '\0').find('@') == std::string_view::npos) return std::nullopt;
  const Keys keys = read_keys(rest);
  const auto action = action_of(keys.action);
  const auto kind = kind_of(keys);
  if (!action || !kind || leads_astray(keys.path)) return std::nullopt;
  Uevent out{.action = *action, .kind = *kind, .path = keys.path};
  if (*action == Uevent::Action::move) {
    if (leads_astray(keys.old_path)) return std::nullopt;
    out.old_path = keys.old_path;
  }
  if (*kind == Uevent::Kind::network) {
    out.interface_name = keys.interface;
    out.device_type = keys.device_type;
    return out;
  }
  std::string_view product = keys.product;  // "781/5567/126": hex without leading zeros
  const auto vendor_id = number<std::uint16_t>(next_part(product, '/'), 16);
  const auto product_id = number<std::uint16_t>(next_part(product, '/'), 16);
  out.has_ids = vendor_id && product_id;
  if (out.has_ids) {
    out.vendor = *vendor_id;
    out.product = *product_id;
  }
  out.usb_class = parse_usb_class(*kind == Uevent::Kind::usb_device ? keys.type : keys.interface);
  out.bus = number<std::uint16_t>(keys.bus);
  out.number = number<std::uint16_t>(keys.number);
  return out;
}

}  // namespace picket::agent
