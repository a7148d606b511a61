// What collectors report: one plain record a happening, before aggregation. Views in a record live only during
// RecordSink::emit(); whoever keeps a record copies them. Names on the wire come from schema/events.yaml, not from
// here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "agent/priority.h"
#include "base/core/time.h"
#include "message/event.h"

namespace picket::agent {

/// Both clocks at one moment. Wall time may jump; monotonic is CLOCK_BOOTTIME and does not.
struct Moment {
  Timestamp wall;
  Duration monotonic;
};

/// Where a record comes from. Both views have static storage.
struct Origin {
  std::string_view collector;  ///< "process", "network", "login", ...
  std::string_view tier;       ///< The tier's name, e.g. "ebpf"; goes out as the event's source.
  bool sampled = false;        ///< The tier looks now and then: short-lived things are missed by nature.
};

/// 16 bytes of IPv6, or 4 bytes of IPv4 in front. Network byte order.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t length = 0;  ///< 0 none, 4 or 16. IPv4-mapped IPv6 is reported as 4.

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  ///< Host byte order.

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// What one of the descriptors 0, 1, 2 of a program was when the program began (ebpf) or when it was looked at
/// (others).
struct StdioFact {
  enum class Kind : std::uint8_t { unknown, none, file, pipe, tty, socket, other };
  Kind kind = Kind::unknown;
  std::uint8_t family = 0;  ///< AF_* of a socket; 0 unknown.
  std::uint64_t inode = 0;  ///< Of the socket or pipe: equal inodes are one socket.
  Endpoint remote;          ///< Peer of a connected AF_INET or AF_INET6 socket, else empty.

  friend bool operator==(const StdioFact&, const StdioFact&) = default;
};

struct ProcessRecord {
  enum class Kind : std::uint8_t { exec, fork, exit };
  Kind kind = Kind::exec;
  Moment time;
  Origin origin;
  std::uint32_t pid = 0;  ///< Of the thread group, in the initial pid namespace.
  std::uint32_t ppid = 0;
  std::uint32_t uid = 0;   ///< Real user id.
  std::uint32_t euid = 0;  ///< Effective user id.
  std::uint32_t gid = 0;
  bool credentials_known = false;      ///< uid, euid, gid were read.
  Duration start;                      ///< Process start on the monotonic clock; with pid it names a process for ever.
  std::string_view executable;         ///< Full path as the kernel knows it; fork, exit: else the comm. Empty: unknown.
  std::string_view parent_executable;  ///< Full path, or the parent's comm where no path was to be had.
  std::string_view grandparent_executable;  ///< As parent_executable; empty: unknown.
  std::string_view cwd;                     ///< Empty: unknown.
  std::string_view container;               ///< Id or name (support/container_id.h); empty: on the host.
  std::string_view terminal;                ///< Controlling terminal, e.g. "pts/0"; empty: none.
  std::uint32_t session = 0;                ///< Audit session id: that of its login's record; 0: none.
  bool executable_deleted = false;          ///< The program's file has no name any more (deleted, or a memfd).
  bool executable_memfd = false;            ///< It never had one: memory only.
  std::string_view argv;                    ///< Each argument ends with NUL (the last may be cut). Empty: unknown.
  std::uint64_t argv_bytes = 0;             ///< Length of argv in the process, also when only a prefix is here.
  std::uint64_t argv_hash = 0;       ///< Of the whole argv (support/argv_hash.h): tells long command lines apart.
  bool argv_hash_of_prefix = false;  ///< argv_hash is of the bytes here only, and argv_truncated.
  bool argv_truncated = false;       ///< argv_bytes > argv.size().
  bool argv_lost = false;            ///< The process was gone, or its memory could not be read.
  std::array<StdioFact, 3> stdio;    ///< exec only.
  std::int32_t exit_status = 0;      ///< exit only: wait(2) status word.
  std::uint64_t count = 1;           ///< Alike happenings that this stands for: the kernel counted while we were slow.
  Duration spread;                   ///< From the first of them, which is `time`, to the last.
};

struct ConnectionRecord {
  enum class Kind : std::uint8_t {
    opened,  ///< Connected or accepted (TCP), or first seen (UDP, sampled tiers). Counts as one hit.
    failed,  ///< A connect that came to nothing (refused, reset, timed out). Counts as one hit and one failure.
    closed,  ///< End of one that was opened (reported by `opened` before): carries the byte counts.
  };
  enum class Direction : std::uint8_t { unknown, in, out };
  Kind kind = Kind::opened;
  Direction direction = Direction::unknown;
  Moment time;
  Origin origin;
  std::uint8_t protocol = 6;  ///< IANA: 6 TCP, 17 UDP, 1 and 58 ICMP (without ports).
  Endpoint local;
  Endpoint remote;
  bool forwarded = false;  ///< Passed on for others: `local` is who is behind this device.
  std::uint32_t pid = 0;   ///< 0: unknown.
  std::uint32_t uid = 0;
  bool uid_known = false;
  std::string_view executable;  ///< Empty: unknown.
  std::string_view argv;        ///< As in ProcessRecord; empty: unknown.
  std::string_view interface;   ///< Network interface, in this network namespace. Empty: unknown.
  std::uint64_t bytes_in = 0;   ///< `closed` only, payload bytes; valid when bytes_known.
  std::uint64_t bytes_out = 0;
  bool bytes_known = false;
  Duration lasted;           ///< `closed` only; 0 unknown.
  std::uint64_t cookie = 0;  ///< Kernel's socket cookie or address-like id: joins opened and closed. 0 unknown.
  std::uint64_t count = 1;   ///< As in ProcessRecord; bytes_in and bytes_out are then the mean.
  Duration spread;           ///< As in ProcessRecord.
};

struct LoginRecord {
  enum class Kind : std::uint8_t { login, login_failed, logout };
  Kind kind = Kind::login;
  Moment time;
  Origin origin;
  std::uint32_t pid = 0;
  std::uint32_t uid = 0;
  bool uid_known = false;
  std::string_view user;          ///< As typed, when it failed: may be any bytes.
  std::string_view executable;    ///< e.g. "/usr/sbin/sshd"; empty: unknown.
  std::string_view terminal;      ///< e.g. "pts/0", "ssh"; empty: unknown.
  std::string_view operation;     ///< e.g. "PAM:authentication", "login".
  std::string_view remote_host;   ///< As reported; may be a name.
  IpAddress remote;               ///< length 0: local, or only a name is known.
  std::uint16_t remote_port = 0;  ///< 0: unknown.
  std::uint32_t session = 0;      ///< Audit session id; 0 unknown.
  std::string_view by_user;       ///< su, sudo: who became `user`; empty: unknown, or nobody.
};

struct NicInfo {
  std::string_view name;
  std::string_view type;  ///< "ETH", "WIFI", "MOBILE", "UNKNOWN".
  std::array<std::uint8_t, 6> mac{};
  std::span<const IpAddress> addresses;
};

struct SystemRecord {
  Moment time;
  Origin origin;
  std::string_view host_name, os_name, os_version, os_vendor, os_architecture, kernel_release, kernel_version;
  std::string_view hardware_vendor, hardware_model, hardware_serial, firmware_vendor, firmware_version;
  std::string_view boot_device;
  std::uint64_t memory_total_kib = 0, memory_free_kib = 0;    ///< Physical.
  std::uint64_t virtual_total_kib = 0, virtual_free_kib = 0;  ///< Physical and swap together.
  std::uint32_t processors = 0;
  std::span<const NicInfo> nics;
};

struct HeartbeatRecord {
  Moment time;
  Origin origin;
  std::uint64_t count = 0;  ///< Of this installation; a gap means lost heartbeats, or up to 60 after a power loss.
};

struct StatisticsDetail {
  std::string_view description;  ///< Static storage.
  std::uint64_t count = 0;
};

/// One collector's account of one cycle: seen == delivered + dropped_kernel + dropped_user.
struct StatisticsRecord {
  Moment time;
  Origin origin;  ///< collector and tier that the numbers are about.
  std::uint64_t seen = 0, delivered = 0, dropped_kernel = 0, dropped_user = 0, incomplete = 0;
  std::optional<std::uint64_t> aggregated;      ///< Records that left the aggregation for `delivered`.
  std::span<const StatisticsDetail> details{};  ///< Zeros are left out.
};

/// An event in the words of the wire already (schema/events.yaml): what a collector reports whose happenings need no
/// more than counting, and what a snapshot finds. support/event_record.h makes them.
struct EventRecord {
  Moment time;
  Origin origin;
  message::EventName event;
  Priority priority = Priority::low;  ///< Of repeats when counted, else of the event itself.
  /// Bytes that are equal for alike happenings. Empty: the event is not counted and leaves at once.
  std::string_view identity;
  /// Payload items, JSON objects joined by commas; exactly one when counted, without the keys of Hits and Sums. At most
  /// kEventItemsMax bytes.
  std::string_view items;
  bool failed = false;                        ///< Counted: goes into FailCount.
  std::uint64_t bytes_in = 0, bytes_out = 0;  ///< Counted: go into BytesIn and BytesOut.
};
inline constexpr std::size_t kEventItemsMax = 96 << 10;

/// Where records go: the aggregation. Called on the collectors' thread; never blocks.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void emit(const ProcessRecord& record) = 0;
  virtual void emit(const ConnectionRecord& record) = 0;
  virtual void emit(const LoginRecord& record) = 0;
  virtual void emit(const SystemRecord& record) = 0;
  virtual void emit(const HeartbeatRecord& record) = 0;
  virtual void emit(const StatisticsRecord& record) = 0;
  virtual void emit(const EventRecord& record) = 0;
};

}  // namespace picket::agent
