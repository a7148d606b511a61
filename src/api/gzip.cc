#include "gzip.h"

#include <algorithm>

#include <zlib.h>

namespace picket::api {

bool accepts_gzip(const Request& request) {
  std::string_view rest = request.header("accept-encoding");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    std::string coding(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    std::erase_if(coding, [](char c) { return c == ' ' || c == '\t'; });
    const std::string_view name = std::string_view(coding).substr(0, coding.find(';'));
    if (!equal_ignoring_case(name, "gzip") && name != "*") continue;
    const std::string_view quality = std::string_view(coding).substr(name.size());
    return !quality.starts_with(";q=0") || quality.find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

std::string gzip(std::string_view content, Compression compression) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (deflateInit2(&stream, static_cast<int>(compression), Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out(deflateBound(&stream, static_cast<uLong>(content.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));  // zlib's face knows no const
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(whole ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

Response compressed(Response response, const Request& request) {
  if (!accepts_gzip(request)) return response;
  std::string body = gzip(response.body, Compression::fast);
  if (body.empty()) return response;
  response.body = std::move(body);
  response.headers.emplace_back("Content-Encoding", "gzip");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  return response;
}

}  // namespace picket::api
