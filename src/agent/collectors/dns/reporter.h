// What all tiers that see packets do with them: questions and answers become look-ups, look-ups become events.
#pragma once

#include "agent/collector.h"
#include "dns/dns_packet.h"
#include "dns/dns_stream.h"
#include "dns/look_up_table.h"
#include "dns/socket_owner.h"

namespace picket::agent {

/// One thread.
class DnsReporter {
 public:
  /// `tier` has static storage.
  DnsReporter(const Environment& environment, std::string_view tier);

  struct Seen {
    bool may_ask = false;     ///< It leaves this device.
    bool may_answer = false;  ///< It has come to this device.
    std::uint32_t pid = 0;    ///< Who sends it; 0: not known, then the socket is looked for.
  };
  /// `packet` begins with its IP header.
  void take(Bytes packet, const Seen& seen);
  /// Reports a look-up that a tier knows whole but for the executable.
  void tell(LookUp& look_up);
  /// Reports what got no answer in time. Returns the delay until the next may be due.
  Duration on_time();
  /// Happenings that a tier lost before they came here.
  void count_lost(std::uint64_t count);
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  void take_message(Bytes bytes, const DnsPacket& packet, const Seen& seen, Moment now);
  void ask(const DnsMessage& message, const DnsPacket& packet, const Seen& seen, std::size_t bytes, Moment now);
  void report(const LookUp& look_up);
  void refuse();

  Environment environment_;
  Origin origin_;
  SocketOwner owner_;
  LookUpTable table_;
  DnsStreams streams_;
  Counters counters_;
};

}  // namespace picket::agent
