// DNS over TCP: messages put together from the segments they come in.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dns/dns_packet.h"

namespace picket::agent {

/// Both ways of a few connections at a time, each by itself. Pure and bounded: who was used longest ago makes room.
/// What was sent again is taken once, what came too early waits for what is missing. A stream that is first seen in its
/// middle is taken to begin with a message. Memory at most kStreams * (kMessageKept + kEarlyMax), about 100 KiB.
class DnsStreams {
 public:
  static constexpr std::size_t kStreams = 16;
  static constexpr std::size_t kMessageKept = 4'096;  ///< A longer message is given as this front.
  static constexpr std::size_t kEarlyMax = 2'048;     ///< Bytes that came too early, in at most kEarlySegments.
  static constexpr std::size_t kEarlySegments = 8;

  /// Calls `each(Bytes message)` for what this segment makes whole, without its length; valid during the call.
  template <class Each>
  void take(const DnsPacket& segment, Duration now, Each each) {
    take_segment(segment, now, [](void* context, Bytes message) { (*static_cast<Each*>(context))(message); }, &each);
  }

 private:
  struct Early {
    std::uint32_t sequence = 0;
    Buffer bytes;
  };
  struct Stream {
    Endpoint source, destination;  // port 0: free
    Duration used;
    std::uint32_t expected = 0;  // sequence number
    std::size_t skip = 0;        // bytes to come of a message that was given
    Buffer text;                 // of the message that is coming, its length in front
    std::vector<Early> early;
  };
  using Give = void (*)(void* context, Bytes message);

  void take_segment(const DnsPacket& segment, Duration now, Give give, void* context);
  Stream* find(const DnsPacket& segment);
  Stream& make(const DnsPacket& segment);
  /// Takes bytes at `sequence`, of which `missing` more were not captured. False: they come too early.
  static bool take_bytes(Stream& stream, std::uint32_t sequence, Bytes bytes, std::size_t missing, Give give,
                         void* context);
  static void append_in_order(Stream& stream, Bytes bytes, Give give, void* context);
  static void pass_over(Stream& stream, std::size_t missing, Give give, void* context);

  std::array<Stream, kStreams> streams_;
};

}  // namespace picket::agent
