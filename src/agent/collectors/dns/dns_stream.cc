#include "dns/dns_stream.h"

#include <algorithm>

namespace picket::agent {
namespace {

constexpr std::size_t kLengthBytes = 2;

std::size_t declared_length(const Buffer& text) {
  return static_cast<std::size_t>(text[0]) << 8 | static_cast<std::size_t>(text[1]);
}

}  // namespace

DnsStreams::Stream* DnsStreams::find(const DnsPacket& segment) {
  const auto found = std::ranges::find_if(streams_, [&](const Stream& each) {
    return each.source == segment.source && each.destination == segment.destination;
  });
  return found == streams_.end() ? nullptr : &*found;
}

DnsStreams::Stream& DnsStreams::make(const DnsPacket& segment) {
  Stream* const known = find(segment);
  Stream& place = known != nullptr ? *known : *std::ranges::min_element(streams_, {}, [](const Stream& each) {
    return each.source.port == 0 ? Duration{} : each.used;
  });
  place = {.source = segment.source, .destination = segment.destination};
  place.expected = segment.sequence + (segment.begins ? 1 : 0);
  return place;
}

void DnsStreams::take_segment(const DnsPacket& segment, Duration now, Give give, void* context) {
  Stream* stream = segment.begins ? &make(segment) : find(segment);
  if (stream == nullptr) {
    if (segment.message.empty()) return;
    stream = &make(segment);
  }
  stream->used = now;
  const std::uint32_t sequence = segment.sequence + (segment.begins ? 1 : 0);
  if (!segment.message.empty() && !take_bytes(*stream, sequence, segment.message, segment.missing, give, context)) {
    std::size_t kept = 0;
    for (const Early& each : stream->early) kept += each.bytes.size();
    if (segment.missing == 0 && kept + segment.message.size() <= kEarlyMax && stream->early.size() < kEarlySegments) {
      stream->early.push_back({sequence, Buffer(segment.message.begin(), segment.message.end())});
    }
  }
  // Each round takes at least one out.
  for (bool fits = true; fits && !stream->early.empty();) {
    const auto next = std::ranges::find_if(stream->early, [&](const Early& each) {
      return static_cast<std::int32_t>(each.sequence - stream->expected) <= 0;
    });
    fits = next != stream->early.end();
    if (!fits) break;
    const Early early = std::move(*next);
    stream->early.erase(next);
    take_bytes(*stream, early.sequence, early.bytes, 0, give, context);
  }
  if (segment.ends) *stream = {};
}

bool DnsStreams::take_bytes(Stream& stream, std::uint32_t sequence, Bytes bytes, std::size_t missing, Give give,
                            void* context) {
  const auto ahead = static_cast<std::int32_t>(sequence - stream.expected);
  if (ahead > 0) return false;
  const auto known = static_cast<std::size_t>(-static_cast<std::int64_t>(ahead));
  const std::size_t total = bytes.size() + missing;
  if (known >= total) return true;  // sent again
  stream.expected += static_cast<std::uint32_t>(total - known);
  missing -= known - std::min(known, bytes.size());
  append_in_order(stream, bytes.subspan(std::min(known, bytes.size())), give, context);
  if (missing > 0) pass_over(stream, missing, give, context);
  return true;
}

void DnsStreams::append_in_order(Stream& stream, Bytes bytes, Give give, void* context) {
  while (!bytes.empty()) {
    if (stream.skip > 0) {
      const std::size_t passed = std::min(stream.skip, bytes.size());
      stream.skip -= passed;
      bytes = bytes.subspan(passed);
      continue;
    }
    const auto wanted = [&] {
      if (stream.text.size() < kLengthBytes) return kLengthBytes;
      return kLengthBytes + std::min(declared_length(stream.text), kMessageKept);
    };
    const std::size_t taken = std::min(wanted() - stream.text.size(), bytes.size());
    append(stream.text, bytes.first(taken));
    bytes = bytes.subspan(taken);
    if (stream.text.size() < kLengthBytes || stream.text.size() < wanted()) continue;
    const std::size_t kept = stream.text.size() - kLengthBytes;
    stream.skip = declared_length(stream.text) - kept;
    if (kept > 0) give(context, Bytes(stream.text).subspan(kLengthBytes));
    stream.text.clear();
  }
}

// Bytes that the capture left out: the message they belong to is given as far as it came.
void DnsStreams::pass_over(Stream& stream, std::size_t missing, Give give, void* context) {
  if (stream.text.size() > kLengthBytes) {
    stream.skip = kLengthBytes + declared_length(stream.text) - stream.text.size();
    give(context, Bytes(stream.text).subspan(kLengthBytes));
    stream.text.clear();
  }
  if (stream.skip < missing || !stream.text.empty()) {
    stream = {};  // where the next message begins is not known
    return;
  }
  stream.skip -= missing;
}

}  // namespace picket::agent
