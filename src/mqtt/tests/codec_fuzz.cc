// Claims: cutting the stream anywhere does not matter; every packet that decodes also encodes, and decodes to the same.
// First byte: role; second byte: where to cut.
#include <cstdlib>
#include <string>
#include <vector>

#include "base/core/encoding.h"
#include "mqtt/inbox.h"

namespace {

using namespace picket;
using namespace picket::mqtt;

constexpr Limits kLimits{.literal_wildcards = true};

void check_round_trip(const Packet& packet, Role role) {
  if (std::holds_alternative<ConnectOtherLevel>(packet)) return;
  Buffer bytes;
  if (!encode(packet, bytes, kLimits)) std::abort();
  Cursor in{Bytes(bytes)};
  const auto again = decode(in, kLimits, role);
  if (!again || !*again || **again != packet || !in.empty()) std::abort();
}

/// A trace of what a reader sees: each packet in its own encoding, and the error that ended it.
std::string read_stream(const std::vector<Bytes>& parts, Role role) {
  Inbox inbox;
  std::string trace;
  for (const Bytes part : parts) {
    inbox.append(part);
    while (true) {
      const auto packet = inbox.next(kLimits, role);
      if (!packet) return trace.append(packet.error().where);
      if (!*packet) break;
      check_round_trip(**packet, role);
      trace += std::to_string((*packet)->index()) + ":";
      Buffer bytes;
      if (encode(**packet, bytes, kLimits)) trace += to_hex(bytes);
      if (role == Role::server_first) role = Role::server;
    }
  }
  return trace;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto role = static_cast<Role>(data[0] % 3);
  const auto all = std::as_bytes(std::span(data + 2, size - 2));
  const auto cut = data[1] % all.size();
  if (read_stream({all}, role) != read_stream({all.first(cut), all.subspan(cut)}, role)) std::abort();
  return 0;
}
