// Texts that were compressed and then written as base64.
#include <array>

#include <zlib.h>

#include "base/core/encoding.h"
#include "kql/native_families.h"

namespace picket::kql {

namespace {

constexpr std::size_t kTextBytesMax = 8U << 20;

/// `window`: what zlib calls windowBits, which says the format.
std::string inflated(Bytes bytes, int window) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 16 * 1024> piece{};
  int state = Z_OK;
  while (state == Z_OK && out.size() <= kTextBytesMax) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = ::inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  return state == Z_STREAM_END && out.size() <= kTextBytesMax && is_utf8(out) ? out : "";
}

std::string decoded(std::string_view base64, int window) {
  const auto bytes = from_base64(base64);
  return bytes ? inflated(*bytes, window) : "";
}

}  // namespace

std::string gzip_text(std::string_view base64) { return decoded(base64, 15 + 16); }
std::string zlib_text(std::string_view base64) { return decoded(base64, 15); }

}  // namespace picket::kql
