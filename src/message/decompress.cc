// Content encodings. Output grows step by step under the limits, so that a bomb costs no more than a message may.
#include <algorithm>
#include <memory>
#include <string>

#include <zlib.h>
#include <zstd.h>

#include "message/decoder.h"

namespace picket::message {
namespace {

constexpr std::size_t kStepBytes = 64 * 1024;

// Most bytes the body may become, and which limit that is.
struct Bound {
  std::size_t bytes;
  std::string_view where;
};

Bound bound_of(Bytes body, const Limits& limits) {
  const std::size_t by_ratio = std::max(limits.ratio_free_bytes, body.size() * limits.ratio_max);
  if (by_ratio < limits.decoded_bytes_max) return {by_ratio, "message.ratio"};
  return {limits.decoded_bytes_max, "message.size"};
}

// Makes room for the next step; one byte beyond the bound tells "exactly full" from "more to come".
std::span<std::byte> next_step(Buffer& out, std::size_t used, const Bound& bound) {
  out.resize(std::min(used + kStepBytes, bound.bytes + 1));
  return std::span(out).subspan(used);
}

// gzip (RFC 1952) and zlib (RFC 1950) by their headers; raw deflate (RFC 1951) is what some senders call "deflate".
Result<Buffer> inflate_all(Bytes body, const Limits& limits, int window_bits) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return fail(Errc::internal, "message.encoding");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, inflateEnd);
  const Bound bound = bound_of(body, limits);
  Buffer out;
  std::size_t used = 0;
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  for (;;) {
    const auto room = next_step(out, used, bound);
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    used += room.size() - stream.avail_out;
    if (used > bound.bytes) return fail(Errc::limit_exceeded, bound.where, stream.total_in);
    if (status == Z_STREAM_END) break;
    if (status != Z_OK) return fail(Errc::malformed, "message.encoding", stream.total_in);
  }
  if (stream.avail_in != 0) return fail(Errc::malformed, "message.encoding", stream.total_in);  // bytes after the end
  out.resize(used);
  return out;
}

bool looks_like_zlib(Bytes body) {
  if (body.size() < 2) return false;
  const unsigned first = static_cast<std::uint8_t>(body[0]);
  const unsigned second = static_cast<std::uint8_t>(body[1]);
  return (first & 0x0F) == 8 && (first << 8 | second) % 31 == 0;
}

Result<Buffer> unzstd_all(Bytes body, const Limits& limits) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return fail(Errc::internal, "message.encoding");
  // A window larger than what may come out is only a way to take memory: 2 MiB, at least the format's minimum of 1 KiB.
  if (ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 23))) {
    return fail(Errc::internal, "message.encoding");
  }
  const Bound bound = bound_of(body, limits);
  Buffer out;
  std::size_t used = 0;
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  for (;;) {
    const auto room = next_step(out, used, bound);
    ZSTD_outBuffer step{room.data(), room.size(), 0};
    const std::size_t consumed_before = in.pos;
    const std::size_t status = ZSTD_decompressStream(context.get(), &step, &in);
    if (ZSTD_isError(status)) return fail(Errc::malformed, "message.encoding", in.pos);
    used += step.pos;
    if (used > bound.bytes) return fail(Errc::limit_exceeded, bound.where, in.pos);
    if (status == 0) break;
    if (step.pos == 0 && in.pos == consumed_before) return fail(Errc::malformed, "message.encoding", in.pos);
  }
  if (in.pos != in.size) return fail(Errc::malformed, "message.encoding", in.pos);
  out.resize(used);
  return out;
}

std::string folded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\t') out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

}  // namespace

Result<Buffer> decompress(Bytes body, std::string_view content_encoding, const Limits& limits) {
  const std::string encoding = folded(content_encoding);
  constexpr int kGzip = 15 + 16, kZlib = 15, kRaw = -15;
  if (body.size() > limits.decoded_bytes_max) return fail(Errc::limit_exceeded, "message.size");
  // The Java device SDK writes the content type here: its Message.setAsSecurityMessage() sets the wrong field.
  const bool is_plain =
      encoding.empty() || encoding == "identity" || encoding == "utf-8" || encoding == "application/json";
  if (is_plain) return Buffer(body.begin(), body.end());
  if (encoding == "gzip" || encoding == "x-gzip") return inflate_all(body, limits, kGzip);
  if (encoding == "deflate") return inflate_all(body, limits, looks_like_zlib(body) ? kZlib : kRaw);
  if (encoding == "zstd") return unzstd_all(body, limits);
  return fail(Errc::unsupported, "message.encoding");
}

}  // namespace picket::message
