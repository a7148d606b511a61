// Words to build DNS messages with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/bytes.h"

namespace picket::agent {

inline std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}
/// "www.example" as labels.
inline std::string labels(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    name.remove_prefix(std::min(label.size() + 1, name.size()));
    out.push_back(static_cast<char>(label.size()));
    out.append(label);
  }
  return out + '\0';
}
inline std::string header(unsigned id, unsigned flags, unsigned answers) {
  return be16(id) + be16(flags) + be16(1) + be16(answers) + be16(0) + be16(0);
}
inline std::string dns_question(unsigned id, std::string_view name, unsigned type) {
  return header(id, 0x0100, 0) + labels(name) + be16(type) + be16(1);
}
/// One record whose name is a pointer to the question's.
inline std::string record(unsigned type, std::string_view data) {
  return be16(0xc00c) + be16(type) + be16(1) + std::string("\0\0\0\x3c", 4) + be16(static_cast<unsigned>(data.size())) +
         std::string(data);
}
inline std::string dns_answer(unsigned id, std::string_view name, unsigned type, unsigned code, unsigned count = 0,
                              std::string_view records = {}, unsigned more_flags = 0) {
  return header(id, 0x8180 | code | more_flags, count) + labels(name) + be16(type) + be16(1) + std::string(records);
}

}  // namespace picket::agent
