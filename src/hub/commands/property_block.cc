#include "property_block.h"

#include "base/core/cursor.h"

namespace picket::hub {
namespace {

void put(std::string& out, std::string_view text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((length >> shift) & 0xFF));
  out.append(text);
}

Result<std::string> get(Cursor& in) {
  TRY(const auto length, in.be<std::uint32_t>());
  TRY(const auto bytes, in.take(length));
  return std::string(as_text(bytes));
}

}  // namespace

std::string encode_properties(const Properties& properties) {
  std::string out;
  for (const auto& [name, value] : properties) {
    put(out, name);
    put(out, value);
  }
  return out;
}

Result<Properties> decode_properties(std::string_view block) {
  Cursor in{as_bytes(block)};
  Properties out;
  while (in.remaining() > 0) {
    TRY(auto name, get(in));
    TRY(auto value, get(in));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

}  // namespace picket::hub
