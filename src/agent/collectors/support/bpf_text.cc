#include "support/bpf_text.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <sys/socket.h>

namespace picket::agent {

std::string_view PathText::join(std::string_view components, bool deleted) {
  if (components.size() <= kBeforeMax && components.size() == before_bytes_ && deleted == before_deleted_ &&
      std::memcmp(components.data(), before_.data(), before_bytes_) == 0) {
    return {text_.data() + at_, text_.size() - at_};
  }
  before_bytes_ = components.size() <= kBeforeMax ? components.size() : kBeforeMax + 1;
  before_deleted_ = deleted;
  if (components.size() <= kBeforeMax) std::copy(components.begin(), components.end(), before_.begin());
  // Written from the back, because the leaf comes first.
  std::size_t at = text_.size();
  if (deleted) {
    at -= kDeleted.size();
    std::memcpy(text_.data() + at, kDeleted.data(), kDeleted.size());
  }
  if (components.empty()) text_[--at] = '/';
  while (!components.empty()) {
    const auto end = std::min(components.find('\0'), components.size());
    const auto name = components.substr(0, end);
    components.remove_prefix(std::min(end + 1, components.size()));
    if (name.size() + 1 > at) break;
    at -= name.size();
    std::memcpy(text_.data() + at, name.data(), name.size());
    text_[--at] = '/';
  }
  at_ = at;
  return {text_.data() + at, text_.size() - at};
}

IpAddress address_of(unsigned family, const std::uint8_t* raw) {
  IpAddress address;
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (family == AF_INET) {
    address.length = 4;
    std::copy_n(raw, 4, address.bytes.begin());
  } else if (family == AF_INET6 && std::equal(std::begin(kMapped), std::end(kMapped), raw)) {
    address.length = 4;
    std::copy_n(raw + 12, 4, address.bytes.begin());
  } else if (family == AF_INET6) {
    address.length = 16;
    std::copy_n(raw, 16, address.bytes.begin());
  }
  return address;
}

Moment moment_from_boot(const Moment& now, std::uint64_t boot_ns) {
  const auto monotonic = Duration::microseconds(static_cast<std::int64_t>(boot_ns / 1000));
  return {now.wall - (now.monotonic - monotonic), monotonic};
}

Result<std::uint32_t> checked_ring_bytes(std::uint32_t bytes) {
  if (!std::has_single_bit(bytes) || bytes < 4096 || bytes > (16U << 20)) {
    return fail(Errc::malformed, "agent.settings.ring_bytes");
  }
  return bytes;
}

std::unexpected<Error> bpf_failure(std::string_view step, int status) {
  const std::string_view where = step == "load"     ? "agent.bpf.load"
                                 : step == "attach" ? "agent.bpf.attach"
                                                    : "agent.bpf.open";
  return std::unexpected(Error{Errc::io, where, 0, -status});
}

}  // namespace picket::agent
