#include "network/audit_connect.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <linux/audit.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "support/audit_record.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

template <class Number>
Number number_of(std::string_view text, int base) {
  Number out{};
  std::from_chars(text.data(), text.data() + text.size(), out, base);
  return out;
}

// Errors of a connect() that say nothing new: it is under way, was made, or was interrupted.
bool is_again(int error) {
  return error == -EALREADY || error == -EISCONN || error == -EINTR || error == -EAGAIN || error == -ERESTART;
}

}  // namespace

Endpoint audit_address(std::string_view hex) {
  std::array<std::uint8_t, sizeof(sockaddr_in6)> bytes{};
  const std::size_t count = std::min(hex.size() / 2, bytes.size());
  for (std::size_t i = 0; i < count; ++i) {
    const char* const at = hex.data() + 2 * i;
    if (std::from_chars(at, at + 2, bytes[i], 16).ptr != at + 2) return {};
  }
  std::uint16_t family = 0;
  std::memcpy(&family, bytes.data(), sizeof(family));
  const bool v4 = family == AF_INET && count >= 8;
  if (!v4 && (family != AF_INET6 || count < 24)) return {};
  return {address_of(family, &bytes[v4 ? 4 : 8]), static_cast<std::uint16_t>(bytes[2] << 8 | bytes[3])};
}

AuditConnectAssembler::Open* AuditConnectAssembler::find(std::uint64_t serial) {
  const auto found = std::ranges::find(open_, serial, &Open::serial);
  return serial == 0 || found == open_.end() ? nullptr : &*found;
}

void AuditConnectAssembler::begin(std::uint64_t serial, Timestamp time, std::string_view text) {
  AuditConnect connect{.time = time};
  std::uint32_t arch = 0;
  unsigned call = 0;
  int exit = 0;
  std::string_view key, value;
  while (take_audit_field(text, key, value)) {
    if (key == "arch") arch = number_of<std::uint32_t>(value, 16);
    if (key == "syscall") call = number_of<unsigned>(value, 10);
    if (key == "exit") exit = number_of<int>(value, 10);
    if (key == "a0") connect.descriptor = number_of<std::uint32_t>(value, 16);
    if (key == "pid") connect.pid = audit_number(value).value_or(0);
    if (key == "uid") connect.uid = audit_number(value).value_or(0);
    if (key == "exe") connect.executable = audit_text(value).substr(0, kTextBytesMax);
  }
  if (arch != kConnectCalls.arch || call == 0) return;
  connect.incoming = call == kConnectCalls.accept || call == kConnectCalls.accept4;
  if (!connect.incoming && call != kConnectCalls.connect) return;
  if (connect.incoming ? exit < 0 : is_again(exit)) return;
  if (connect.incoming) connect.descriptor = static_cast<std::uint32_t>(exit);
  connect.failed = exit < 0 && exit != -EINPROGRESS;
  connect.surely_tcp = connect.incoming || exit == -EINPROGRESS || exit == -ECONNREFUSED;
  Open& open = open_[next_++ % kOpenMax];
  if (open.serial != 0) ++unfinished_;
  open = {serial, std::move(connect)};
}

const AuditConnect* AuditConnectAssembler::take(std::uint16_t type, std::string_view text) {
  if (type != AUDIT_SYSCALL && type != AUDIT_SOCKADDR && type != AUDIT_PROCTITLE && type != AUDIT_EOE) return nullptr;
  const auto stamp = take_audit_stamp(text);
  if (!stamp || stamp->serial == 0) return nullptr;
  Open* const open = find(stamp->serial);
  if (type == AUDIT_SYSCALL) {
    if (open == nullptr) begin(stamp->serial, stamp->time, text);
    return nullptr;
  }
  if (open == nullptr) return nullptr;
  if (type == AUDIT_EOE) {
    done_ = std::move(open->connect);
    *open = {};
    return done_.remote.address.length != 0 && done_.remote.port != 0 ? &done_ : nullptr;
  }
  std::string_view key, value;
  while (take_audit_field(text, key, value)) {
    if (key == "saddr") open->connect.remote = audit_address(value);
    if (key == "proctitle") open->connect.title = audit_text(value).substr(0, kTextBytesMax);
  }
  return nullptr;
}

}  // namespace picket::agent
