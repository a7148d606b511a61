#include <zlib.h>

#include "agent/compression.h"

namespace picket::agent {

std::optional<Buffer> compress_message(std::string_view message) {
  // Below this the header and the property cost more than is won.
  constexpr std::size_t kWorthBytes = 512;
  // 4 KiB window and small tables: 40 KB of memory instead of 260 KB; JSON of a message repeats within that distance.
  constexpr int kWindowBits = 12, kGzip = 16, kMemoryLevel = 5;
  if (message.size() < kWorthBytes) return std::nullopt;
  z_stream stream{};
  if (::deflateInit2(&stream, 6, Z_DEFLATED, kWindowBits + kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  Buffer out(message.size() - message.size() / 8);
  // zlib does not write to its input; its interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (status != Z_STREAM_END || !hub_takes(out.size(), message.size())) return std::nullopt;
  return out;
}

std::string_view compression_name() { return "gzip"; }

}  // namespace picket::agent
