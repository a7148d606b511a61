// Claims: what was cut off takes no flow along, whole flows have four addresses of one family, and payload is a part.
#include <cstdlib>

#include "network/conntrack_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  const Bytes all = std::as_bytes(std::span(data, size));
  std::size_t flows = 0;
  const auto check = [&](const ConntrackFlow& flow) {
    ++flows;
    const auto length = flow.origin.source.address.length;
    if (length != 4 && length != 16) std::abort();
    for (const FlowTuple* tuple : {&flow.origin, &flow.reply}) {
      if (tuple->source.address.length != length || tuple->destination.address.length != length) std::abort();
      if (payload_bytes(*tuple, flow.protocol) > tuple->bytes) std::abort();
    }
    if (flow.protocol == 0) std::abort();
  };
  (void)for_each_flow(all, check);
  if (flows > size / 40) std::abort();
  const std::size_t whole = flows;
  flows = 0;
  (void)for_each_flow(all.first(size / 2), check);
  if (flows > whole) std::abort();
  return 0;
}
