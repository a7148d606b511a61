#include "agent/event_encoder.h"

#include <algorithm>
#include <array>
#include <limits>

#include <arpa/inet.h>

#include "agent/name_cache.h"
#include "base/core/encoding.h"
#include "base/core/random.h"
#include "message/events.h"
#include "message/message_builder.h"

namespace picket::agent {
namespace {

std::string format_port(std::uint16_t port) { return port == 0 ? std::string() : std::to_string(port); }

std::string_view protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case 1:
    case 58:
      return "icmp";
    case 6:
      return "tcp";
    case 17:
      return "udp";
    default:
      return "other";
  }
}

/// "192.0.2.9:4444", "[2001:db8::1]:4444" or "socket:[inode]"; empty when the descriptor is no socket.
std::string format_socket(const StdioFact& fact) {
  if (fact.kind != StdioFact::Kind::socket) return {};
  const std::string address = format_address(fact.remote.address);
  if (address.empty()) return "socket:[" + std::to_string(fact.inode) + "]";
  const std::string port = std::to_string(fact.remote.port);
  return fact.remote.address.length == 16 ? "[" + address + "]:" + port : address + ":" + port;
}

std::string command_line(std::string_view argv, std::string_view executable) {
  std::string joined = join_arguments(argv);
  return joined.empty() ? std::string(executable) : joined;
}

template <class Payload>
void set_hits(Payload& payload, const Hits& hits) {
  if (hits.single()) return;
  payload.hit_count = static_cast<std::int64_t>(hits.count);
  payload.start_time_utc = hits.first;
  payload.end_time_utc = hits.last;
}

std::optional<Timestamp> start_time(const Moment& now, Duration start) {
  if (start.us == 0) return std::nullopt;
  return now.wall - (now.monotonic - start);
}

std::string nics_json(std::span<const NicInfo> nics) {
  if (nics.empty()) return {};
  JsonWriter json;
  json.begin_array();
  for (const NicInfo& nic : nics) {
    json.begin_object().key("Name").value(nic.name).key("Type").value(nic.type);
    std::string mac = to_hex(std::as_bytes(std::span(nic.mac)));
    for (std::size_t at = 10; at > 0; at -= 2) mac.insert(at, 1, ':');
    json.key("Mac").value(mac);
    for (const std::uint8_t length : {std::uint8_t{4}, std::uint8_t{16}}) {
      json.key(length == 4 ? "Ipv4Addresses" : "Ipv6Addresses").begin_array();
      for (const IpAddress& address : nic.addresses) {
        if (address.length == length) json.value(format_address(address));
      }
      json.end_array();
    }
    json.end_object();
  }
  return json.end_array().take();
}

/// [{"Description":…,"Hitcount":…}], as the micro agent sends; only what is not zero.
std::string statistics_json(const StatisticsRecord& record) {
  JsonWriter json;
  json.begin_array();
  const auto add = [&json](std::string_view description, std::uint64_t count) {
    if (count > 0) json.begin_object().key("Description").value(description).key("Hitcount").value(count).end_object();
  };
  add("delivered", record.delivered);
  add("dropped: kernel buffer full", record.dropped_kernel);
  add("dropped: agent", record.dropped_user);
  add("incomplete", record.incomplete);
  for (const StatisticsDetail& detail : record.details) add(detail.description, detail.count);
  return json.end_array().take();
}

/// Puts the counts into the one object of `item`.
void add_hits(std::string& item, const Hits& hits, const EventSums& sums) {
  JsonWriter counts;
  counts.begin_object();
  if (!hits.single()) {
    counts.key("HitCount").value(hits.count);
    counts.key("StartTimeUtc").value(format_rfc3339(hits.first)).key("EndTimeUtc").value(format_rfc3339(hits.last));
  }
  if (sums.failed > 0) counts.key("FailCount").value(sums.failed);
  if (sums.bytes_in > 0) counts.key("BytesIn").value(sums.bytes_in);
  if (sums.bytes_out > 0) counts.key("BytesOut").value(sums.bytes_out);
  const std::string text = counts.end_object().take();
  if (text.size() == 2) return;  // "{}"
  if (item.size() > 2) item.insert(item.size() - 1, 1, ',');
  item.insert(item.size() - 1, std::string_view(text).substr(1, text.size() - 2));
}

}  // namespace

std::string format_address(const IpAddress& address) {
  if (address.length != 4 && address.length != 16) return {};
  char text[INET6_ADDRSTRLEN];
  return ::inet_ntop(address.length == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
}

std::string join_arguments(std::string_view argv) {
  std::string out(argv);
  while (!out.empty() && out.back() == '\0') out.pop_back();
  std::ranges::replace(out, '\0', ' ');
  return out;
}

template <class Payload>
void EventEncoder::send(Priority priority, Timestamp time, const Payload& payload) {
  const std::string id = random_uuid();
  // TimestampLocal is UTC: the zone of a device is of little use to the hub, and glibc's costs 90 KB.
  sink_.deliver(priority, message::encode_event({id, time}, payload));
}

void EventEncoder::process(const ProcessRecord& record, const Hits& hits, Priority priority) {
  const std::string command = command_line(record.argv, record.executable);
  const std::string user_id = record.credentials_known ? std::to_string(record.euid) : std::string();
  const std::string user_name(record.credentials_known ? users_.find(record.euid) : std::string_view{});
  const std::string session = record.session != 0 ? std::to_string(record.session) : std::string();
  if (record.kind == ProcessRecord::Kind::exit) {
    // The wait status: low 7 bits the signal, next byte the exit code.
    const int signal = record.exit_status & 0x7f;
    message::ProcessTerminate item{.executable = record.executable,
                                   .process_id = record.pid,
                                   .exit_status = signal != 0 ? 128 + signal : (record.exit_status >> 8 & 0xff),
                                   .parent_process_id = record.ppid,
                                   .user_id = user_id,
                                   .user_name = user_name,
                                   .command_line = command,
                                   .process_start_utc = start_time(record.time, record.start),
                                   .logon_id = session,
                                   .source = record.origin.tier};
    if (signal != 0) item.signal = signal;
    if (hits.single() && record.start.us > 0) item.duration_ms = (record.time.monotonic - record.start).whole_ms();
    set_hits(item, hits);
    return send(priority, record.time.wall, item);
  }
  const std::string real_user = record.credentials_known && record.uid != record.euid ? std::to_string(record.uid) : "";
  const std::array<std::string, 3> sockets{format_socket(record.stdio[0]), format_socket(record.stdio[1]),
                                           format_socket(record.stdio[2])};
  std::vector<message::Detail> extra;
  if (record.kind == ProcessRecord::Kind::fork) extra.push_back({"Type", "fork"});
  if (record.argv_lost) extra.push_back({"Incomplete", "argv"});
  if (record.origin.sampled) extra.push_back({"Sampled", "true"});
  if (record.executable_memfd) extra.push_back({"Memfd", "true"});
  std::string hash;
  if (record.argv_truncated) {
    std::array<std::byte, 8> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(record.argv_hash >> (56 - 8 * i));
    hash = to_hex(bytes);
    if (record.argv_hash_of_prefix) extra.push_back({"CommandLineHashOf", "prefix"});
  }
  message::ProcessCreate item{.executable = record.executable,
                              .process_id = record.pid,
                              .parent_process_id = record.ppid,
                              .user_id = user_id,
                              .user_name = user_name,
                              .command_line = command,
                              .grandparent_executable = record.grandparent_executable,
                              .real_user_id = real_user,
                              .stdin_socket = sockets[0],
                              .stdout_socket = sockets[1],
                              .stderr_socket = sockets[2],
                              .command_line_hash = hash,
                              .process_start_utc = start_time(record.time, record.start),
                              .parent_executable = record.parent_executable,
                              .current_directory = record.cwd,
                              .container_id = record.container,
                              .logon_id = session,
                              .tty = record.terminal,
                              .source = record.origin.tier,
                              .extra_details = extra};
  if (record.executable_deleted) item.executable_deleted = true;
  if (record.argv_truncated) {
    item.truncated = true;
    item.command_line_bytes = static_cast<std::int64_t>(record.argv_bytes);
  }
  set_hits(item, hits);
  send(priority, record.time.wall, item);
}

void EventEncoder::connection(const ConnectionRecord& record, const ConnectionHits& hits, Priority priority) {
  const std::string remote = format_address(record.remote.address), local = format_address(record.local.address);
  const std::string remote_port = format_port(record.remote.port), local_port = format_port(record.local.port);
  const std::string command = join_arguments(record.argv);
  const std::string user_id = record.uid_known ? std::to_string(record.uid) : std::string();
  const std::string user_name(record.uid_known ? users_.find(record.uid) : std::string_view{});
  using Direction = ConnectionRecord::Direction;
  // Nobody knows who called whom: then the lower port is taken for the service.
  const bool in = record.direction == Direction::in ||
                  (record.direction == Direction::unknown && record.local.port < record.remote.port);
  std::vector<message::Detail> extra;
  if (record.direction == Direction::unknown) extra.push_back({"Direction", "guessed"});
  if (record.forwarded) extra.push_back({"Forwarded", "true"});
  if (record.origin.sampled) extra.push_back({"Sampled", "true"});
  message::ConnectionCreate item{.remote_address = remote,
                                 .remote_port = remote_port,
                                 .local_address = local,
                                 .local_port = local_port,
                                 .direction = in ? message::Direction::In : message::Direction::Out,
                                 .protocol = protocol_name(record.protocol),
                                 .process_id = record.pid,
                                 .user_id = user_id,
                                 .user_name = user_name,
                                 .executable = record.executable,
                                 .command_line = command,
                                 .remote_host_name = looked_up_names().find(record.remote.address),
                                 .interface = record.interface,
                                 .source = record.origin.tier,
                                 .extra_details = extra};
  if (hits.hits.count > 0) {
    item.result = hits.failed == hits.hits.count ? message::ConnectionResult::Fail : message::ConnectionResult::Success;
  }
  if (hits.failed > 0) item.fail_count = static_cast<std::int64_t>(hits.failed);
  if (hits.bytes_in.count() > 0) {
    const auto number = [](std::uint64_t value) {
      return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
    };
    item.bytes_in = number(hits.bytes_in.sum());
    item.bytes_out = number(hits.bytes_out.sum());
    if (hits.bytes_in.count() > 1) {
      item.bytes_in_min = number(hits.bytes_in.min());
      item.bytes_in_median = number(hits.bytes_in.median());
      item.bytes_in_max = number(hits.bytes_in.max());
      item.bytes_out_min = number(hits.bytes_out.min());
      item.bytes_out_median = number(hits.bytes_out.median());
      item.bytes_out_max = number(hits.bytes_out.max());
    }
  }
  if (hits.lasted_max.us > 0) item.duration_ms = hits.lasted_max.whole_ms();
  if (hits.hits.count > 1) item.hourly_counts = hits.hourly;
  item.gaps_ms = hits.gaps.gaps_ms();
  if (std::ranges::any_of(hits.gaps.counts(), [](std::uint32_t count) { return count != 1; })) {
    item.gap_counts = hits.gaps.counts();
  }
  set_hits(item, hits.hits);
  send(priority, record.time.wall, item);
}

void EventEncoder::login(const LoginRecord& record) {
  using Kind = LoginRecord::Kind;
  const std::string remote = format_address(record.remote), port = format_port(record.remote_port);
  const std::string user_id = record.uid_known ? std::to_string(record.uid) : std::string();
  const std::string session = record.session != 0 ? std::to_string(record.session) : std::string();
  std::vector<message::Detail> extra;
  if (!record.operation.empty()) extra.push_back({"Operation", record.operation});
  if (!record.by_user.empty()) extra.push_back({"By", record.by_user});
  const message::Login item{
      .process_id = record.pid,
      .operation = record.kind == Kind::login          ? "Login"
                   : record.kind == Kind::login_failed ? "LoginFailed"
                                                       : "Logout",
      .executable = record.executable,
      .result = record.kind == Kind::login_failed ? message::LoginResult::Fail : message::LoginResult::Success,
      .user_id = user_id,
      .user_name = record.user,
      .remote_address = remote,
      .remote_port = port,
      .remote_host_name = record.remote_host,
      .tty = record.terminal,
      .logon_id = session,
      .source = record.origin.tier,
      .extra_details = extra};
  send(Priority::high, record.time.wall, item);
}

void EventEncoder::system(const SystemRecord& record) {
  const std::string nics = nics_json(record.nics);
  const auto kib = [](std::uint64_t value) {
    return value == 0 ? std::optional<std::int64_t>() : static_cast<std::int64_t>(value);
  };
  const AgentFacts facts = facts_();
  const message::SystemInformation item{.os_name = record.os_name,
                                        .os_version = record.os_version,
                                        .os_vendor = record.os_vendor,
                                        .os_architecture = record.os_architecture,
                                        .os_platform = "Linux",
                                        .kernel_version = record.kernel_release,
                                        .host_name = record.host_name,
                                        .bios_version = record.firmware_version,
                                        .boot_device = record.boot_device,
                                        .boot_time_utc = record.time.wall - record.time.monotonic,
                                        .total_physical_memory_in_kb = kib(record.memory_total_kib),
                                        .free_physical_memory_in_kb = kib(record.memory_free_kib),
                                        .total_virtual_memory_in_kb = kib(record.virtual_total_kib),
                                        .free_virtual_memory_in_kb = kib(record.virtual_free_kib),
                                        .hardware_vendor = record.hardware_vendor,
                                        .hardware_model = record.hardware_model,
                                        .hardware_serial_number = record.hardware_serial,
                                        .firmware_vendor = record.firmware_vendor,
                                        .firmware_version = record.firmware_version,
                                        .agent_type = "Standalone",
                                        .agent_version = PICKET_VERSION,
                                        .nics = nics,
                                        .collectors = facts.collectors_json,
                                        .source = record.origin.tier};
  send(Priority::low, record.time.wall, item);
}

void EventEncoder::heartbeat(const HeartbeatRecord& record) {
  const AgentFacts facts = facts_();
  const std::string count = std::to_string(record.count);
  const std::array<message::Detail, 1> extra{{{"Count", count}}};
  send(Priority::low, record.time.wall,
       message::Heartbeat{.uptime_seconds = record.time.monotonic.whole_seconds(),
                          .spool_bytes = static_cast<std::int64_t>(facts.spool_bytes),
                          .dropped_events = static_cast<std::int64_t>(facts.dropped_events),
                          .source = record.origin.tier,
                          .extra_details = extra});
}

void EventEncoder::statistics(const StatisticsRecord& record) {
  const std::string events = statistics_json(record);
  message::Statistics item{.name = record.origin.collector,
                           .collected_events = static_cast<std::int64_t>(record.seen),
                           .dropped_events = static_cast<std::int64_t>(record.dropped_kernel + record.dropped_user),
                           .sent_events = static_cast<std::int64_t>(record.delivered),
                           .events = events,
                           .source = record.origin.tier};
  if (record.aggregated) item.aggregated_events = static_cast<std::int64_t>(*record.aggregated);
  send(Priority::low, record.time.wall, item);
}

void EventEncoder::event(const EventRecord& record, const Hits& hits, const EventSums& sums, Priority priority) {
  std::string items(record.items);
  if (hits.count > 0) add_hits(items, hits, sums);
  const std::string id = random_uuid();
  sink_.deliver(priority, message::encode_event(record.event, {id, record.time.wall}, items));
}

}  // namespace picket::agent
