// From the records that audit makes of one connect() or accept() (SYSCALL, SOCKADDR, PROCTITLE, EOE) to the connection.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "agent/record.h"

namespace picket::agent {

/// The calls of this machine's own width, with the kernel's name for it (AUDIT_ARCH_*).
struct ConnectCalls {
  std::uint32_t arch = 0;
  unsigned connect = 0, accept = 0, accept4 = 0;  ///< 0: there is none.
};
inline constexpr ConnectCalls kConnectCalls =
#if defined(__x86_64__)
    {0xc000003e, 42, 43, 288};
#elif defined(__aarch64__)
    {0xc00000b7, 203, 202, 242};
#elif defined(__riscv)
    {0xc00000f3, 203, 202, 242};
#else
    {0x40000028, 283, 285, 366};  // ARM
#endif

struct AuditConnect {
  Timestamp time;
  bool incoming = false;
  bool failed = false;
  bool surely_tcp = false;  ///< It is under way, or was refused: nothing else is so at once.
  std::uint32_t pid = 0, uid = 0;
  std::uint32_t descriptor = 0;  ///< Of the socket in that process.
  Endpoint remote;
  std::string executable;
  std::string title;  ///< The first 128 bytes of argv; empty: not told.
};

/// Joins records by the serial number of their event. Pure, bounded: kOpenMax events at a time; the oldest makes room.
class AuditConnectAssembler {
 public:
  static constexpr std::size_t kOpenMax = 64;
  static constexpr std::size_t kTextBytesMax = 4096;

  /// The connection that this record was the last of; nullptr: none. What has no address of IP, no port, or was a call
  /// again about a connection under way is none. Valid until the next call.
  const AuditConnect* take(std::uint16_t type, std::string_view text);
  /// Events that had to make room.
  [[nodiscard]] std::uint64_t unfinished() const { return unfinished_; }

 private:
  struct Open {
    std::uint64_t serial = 0;  // 0: free
    AuditConnect connect;
  };
  Open* find(std::uint64_t serial);
  void begin(std::uint64_t serial, Timestamp time, std::string_view text);

  std::array<Open, kOpenMax> open_;
  std::size_t next_ = 0;
  std::uint64_t unfinished_ = 0;
  AuditConnect done_;
};

/// An address as audit writes it: the bytes of a sockaddr in hexadecimal. An empty endpoint: not of IP, or cut off.
Endpoint audit_address(std::string_view hex);

}  // namespace picket::agent
