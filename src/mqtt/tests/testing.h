// Words of the MQTT tests.
#pragma once

#include <string>
#include <string_view>

#include "base/core/encoding.h"
#include "mqtt/codec.h"

namespace picket::mqtt {

/// Bytes from hex digits; blanks are skipped, 'text' in quotes stands for its characters.
inline Buffer hex(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text[i] != '\'') {
      digits += text[i];
      continue;
    }
    const auto end = text.find('\'', i + 1);
    digits += to_hex(as_bytes(text.substr(i + 1, end - i - 1)));
    i = end;
  }
  return from_hex(digits).value();
}

inline Result<std::optional<Packet>> decode_all(Bytes bytes, Role role, const Limits& limits = {}) {
  Cursor in{bytes};
  return decode(in, limits, role);
}

inline Buffer encoded(const Packet& packet) {
  Buffer out;
  encode(packet, out).value();
  return out;
}

}  // namespace picket::mqtt
