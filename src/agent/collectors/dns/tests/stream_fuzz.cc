// Claims: messages are within their bound; bytes in one segment give the same messages as bytes in many; any segments
// do no harm.
#include <cstdlib>
#include <string>
#include <vector>

#include "dns/dns_stream.h"

namespace {

using namespace picket;
using namespace picket::agent;

DnsPacket segment(std::uint32_t sequence, Bytes bytes) {
  DnsPacket out;
  out.protocol = 6;
  out.source = {{{192, 0, 2, 1}, 4}, 4'000};
  out.destination = {{{192, 0, 2, 53}, 4}, 53};
  out.sequence = sequence;
  out.message = bytes;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Bytes all = std::as_bytes(std::span(data + 2, size - 2));
  std::vector<std::string> whole, pieces;
  DnsStreams one, many, wild;
  one.take(segment(data[0], all), {}, [&](Bytes message) { whole.emplace_back(as_text(message)); });
  const std::size_t step = 1 + data[1] % 64;
  for (std::size_t at = 0; at < all.size(); at += step) {
    many.take(segment(static_cast<std::uint32_t>(data[0] + at), all.subspan(at, std::min(step, all.size() - at))), {},
              [&](Bytes message) { pieces.emplace_back(as_text(message)); });
  }
  if (whole != pieces) std::abort();
  for (std::size_t at = 0; at + 4 < all.size(); at += step) {
    const auto number = static_cast<std::uint32_t>(all[at]) << 4 | static_cast<std::uint32_t>(all[at + 1]) >> 4;
    auto packet = segment(number, all.subspan(at, std::min(step, all.size() - at)));
    packet.missing = static_cast<std::size_t>(all[at + 2]);
    packet.begins = all[at + 3] < std::byte{8};
    packet.ends = all[at + 3] > std::byte{250};
    wild.take(packet, {}, [](Bytes message) {
      if (message.empty() || message.size() > DnsStreams::kMessageKept) std::abort();
    });
  }
  return 0;
}
