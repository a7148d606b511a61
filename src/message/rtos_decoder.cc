#include "rtos_decoder.h"

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include <arpa/inet.h>

#include "arena.h"
#include "base/core/json_writer.h"
#include "base/core/time.h"
#include "flatbuffer.h"

namespace picket::message {
namespace {

constexpr std::size_t kTextBytesMax = std::size_t{64} << 10;  // offsets may make thousands of items share one string
constexpr std::size_t kStepsMax = 200'000;
constexpr std::size_t kGrowthMax = 4;  // JSON written, over decoded_bytes_max

// Union members of Event.payload.
enum class Payload : std::uint8_t {
  none,
  network_activity,
  system_information,
  listening_ports,
  heartbeat,
  baseline,
  process,
  log
};

// Field ids, in the order of the published builders.
namespace message_id {
enum : unsigned { module_id, module_version, timezone, events };
}
namespace event_id {
enum : unsigned { id, time, collection_interval, payload_type, payload };
}
namespace common_id {
enum : unsigned {
  local_port,
  remote_port,
  bytes_in,
  bytes_out,
  protocol,
  process_id,
  user_id,
  executable,
  command_line
};
}
namespace process_id {
enum : unsigned { executable, process_id, parent_process_id, user_id, user_name, command_line, event_type, hit_count };
}
namespace baseline_id {
enum : unsigned { id, result, error, description, severity, remediation };
}
namespace log_id {
enum : unsigned { message, level, timestamp, line, filename };
}

constexpr std::array<std::string_view, 3> kProtocols{"tcp", "udp", "icmp"};
constexpr std::array<std::string_view, 3> kBaselineResults{"PASS", "FAIL", "ERROR"};
constexpr std::array<std::string_view, 4> kBaselineSeverities{"Critical", "Important", "Warning", "Informational"};
constexpr std::array<std::string_view, 6> kLogLevels{"NotSet", "Fatal", "Error", "Warning", "Information", "Debug"};
enum class ProcessEvent : std::uint8_t { fork, exec, exit };
constexpr std::array<std::string_view, 3> kProcessEvents{"fork", "exec", "exit"};

// The raw bytes of an address are in network order, whatever the device's own order is.
std::string address_text(Bytes raw) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = raw.size() == 4 ? AF_INET : AF_INET6;
  inet_ntop(family, raw.data(), text.data(), text.size());
  return text.data();
}

std::string uuid_text(Bytes raw) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out.push_back(kHex[static_cast<std::uint8_t>(raw[i]) >> 4]);
    out.push_back(kHex[static_cast<std::uint8_t>(raw[i]) & 15]);
  }
  return out;
}

// What becomes of one event: its name, and its items as JSON objects joined by commas.
struct Translated {
  std::string_view name;
  std::string items;
};

class Translator {
 public:
  Translator(FlatBuffer& buffer, const Limits& limits)
      : buffer_(buffer), bytes_left_(limits.decoded_bytes_max * kGrowthMax) {}

  Result<Translated> payload(Payload kind, const FlatTable& table, std::uint32_t interval) {
    interval_ = interval;
    items_.clear();
    switch (kind) {
      case Payload::network_activity:
        return named("ConnectionCreate", network_activity(table));
      case Payload::system_information:
        return named("SystemInformation", system_information(table));
      case Payload::listening_ports:
        return named("ListeningPorts", listening_ports(table));
      case Payload::heartbeat:
        return Translated{"Heartbeat", {}};
      case Payload::baseline:
        return named("Baseline", baseline(table));
      case Payload::process:
        return process(table);
      case Payload::log:
        return named("Log", log(table));
      case Payload::none:
        break;
    }
    return fail(Errc::unsupported, "message.event.payload", table.offset());
  }
  [[nodiscard]] std::uint64_t unknown_enum_values() const { return unknown_; }

 private:
  Result<Translated> named(std::string_view name, const Result<>& done) {
    if (!done) return std::unexpected(done.error());
    return Translated{name, std::move(items_)};
  }

  // Ends an item begun with begin_object and counts its bytes.
  Result<> finish(JsonWriter& json, std::uint64_t at, std::string_view event_type = {}) {
    if (interval_ > 0 || !event_type.empty()) {
      json.key("ExtraDetails").begin_object();
      if (interval_ > 0) json.key("CollectionIntervalSeconds").value(std::to_string(interval_));
      if (!event_type.empty()) json.key("EventType").value(event_type);
      json.end_object();
    }
    json.end_object();
    if (json.text().size() > bytes_left_) return fail(Errc::limit_exceeded, "message.size", at);
    bytes_left_ -= json.text().size();
    if (!items_.empty()) items_.push_back(',');
    items_ += json.text();
    return {};
  }

  Result<> put_text(JsonWriter& json, std::string_view key, const FlatTable& table, unsigned id) {
    TRY(const auto text, table.text(id));
    if (text.size() > kTextBytesMax) return fail(Errc::limit_exceeded, "message.flatbuffers.text", table.offset());
    if (!text.empty()) json.key(key).value(text);
    return {};
  }

  // Values outside the published enum stay numbers.
  void put_enum(JsonWriter& json, std::string_view key, std::uint8_t value, std::span<const std::string_view> names) {
    json.key(key);
    if (value < names.size()) {
      json.value(names[value]);
    } else {
      ++unknown_;
      json.value(static_cast<int>(static_cast<std::int8_t>(value)));
    }
  }

  Result<> connection(const FlatTable& activity, std::size_t address_bytes) {
    TRY(const auto addresses, activity.structure(0, 2 * address_bytes));
    TRY(const auto common, activity.table(1));
    if (!addresses || !common) return fail(Errc::malformed, "message.flatbuffers.network", activity.offset());
    JsonWriter json;
    json.begin_object();
    json.key("LocalAddress").value(address_text(addresses->first(address_bytes)));
    json.key("RemoteAddress").value(address_text(addresses->last(address_bytes)));
    TRY(const auto local_port, common->number<std::uint16_t>(common_id::local_port));
    TRY(const auto remote_port, common->number<std::uint16_t>(common_id::remote_port));
    TRY(const auto bytes_in, common->number<std::uint32_t>(common_id::bytes_in));
    TRY(const auto bytes_out, common->number<std::uint32_t>(common_id::bytes_out));
    TRY(const auto protocol, common->number<std::uint8_t>(common_id::protocol));
    TRY(const auto process, common->number<std::uint16_t>(common_id::process_id));
    TRY(const auto user, common->number<std::uint16_t>(common_id::user_id));
    json.key("LocalPort").value(std::to_string(local_port));
    json.key("RemotePort").value(std::to_string(remote_port));
    json.key("BytesIn").value(bytes_in).key("BytesOut").value(bytes_out);
    put_enum(json, "Protocol", protocol, kProtocols);
    json.key("ProcessId").value(static_cast<unsigned>(process));
    json.key("UserId").value(std::to_string(user));
    TRY_VOID(put_text(json, "Executable", *common, common_id::executable));
    TRY_VOID(put_text(json, "CommandLine", *common, common_id::command_line));
    return finish(json, activity.offset());
  }

  Result<> network_activity(const FlatTable& table) {
    constexpr std::array<std::size_t, 2> kAddressBytes{4, 16};
    for (unsigned id = 0; id < kAddressBytes.size(); ++id) {
      TRY(const auto activities, table.vector(id, 4));
      for (std::uint32_t i = 0; i < activities.count; ++i) {
        TRY(const auto activity, table.element(activities, i));
        TRY_VOID(connection(activity, kAddressBytes[id]));
      }
    }
    return {};
  }

  Result<> listening_ports(const FlatTable& table) {
    constexpr std::array<std::size_t, 2> kAddressBytes{4, 16};
    for (unsigned id = 0; id < kAddressBytes.size(); ++id) {
      const std::size_t size = kAddressBytes[id] + 4;  // address, port u16, protocol i8, one byte of padding
      TRY(const auto ports, table.vector(id, size));
      for (std::uint32_t i = 0; i < ports.count; ++i) {
        const std::uint64_t at = ports.first + i * size;
        TRY(const auto address, buffer_.slice(at, kAddressBytes[id]));
        TRY(const auto port, buffer_.le<std::uint16_t>(at + kAddressBytes[id]));
        TRY(const auto protocol, buffer_.le<std::uint8_t>(at + kAddressBytes[id] + 2));
        JsonWriter json;
        json.begin_object()
            .key("LocalAddress")
            .value(address_text(address))
            .key("LocalPort")
            .value(std::to_string(port));
        put_enum(json, "Protocol", protocol, kProtocols);
        TRY_VOID(finish(json, at));
      }
    }
    return {};
  }

  Result<> system_information(const FlatTable& table) {
    constexpr std::array<std::string_view, 3> kKeys{"OSName", "KernelVersion", "HardwareModel"};
    JsonWriter json;
    json.begin_object();
    for (unsigned id = 0; id < kKeys.size(); ++id) TRY_VOID(put_text(json, kKeys[id], table, id));
    return finish(json, table.offset());
  }

  Result<> baseline(const FlatTable& table) {
    TRY(const auto checks, table.vector(0, 4));
    for (std::uint32_t i = 0; i < checks.count; ++i) {
      TRY(const auto check, table.element(checks, i));
      TRY(const auto result, check.number<std::uint8_t>(baseline_id::result));
      TRY(const auto severity, check.number<std::uint8_t>(baseline_id::severity));
      JsonWriter json;
      json.begin_object();
      TRY_VOID(put_text(json, "BaselineCheckId", check, baseline_id::id));
      put_enum(json, "BaselineCheckResult", result, kBaselineResults);
      TRY_VOID(put_text(json, "BaselineCheckError", check, baseline_id::error));
      TRY_VOID(put_text(json, "BaselineCheckDescription", check, baseline_id::description));
      put_enum(json, "BaselineCheckSeverity", severity, kBaselineSeverities);
      TRY_VOID(put_text(json, "BaselineCheckRemediation", check, baseline_id::remediation));
      TRY_VOID(finish(json, check.offset()));
    }
    return {};
  }

  Result<Translated> process(const FlatTable& table) {
    TRY(const auto pid, table.number<std::uint32_t>(process_id::process_id));
    TRY(const auto parent, table.number<std::uint32_t>(process_id::parent_process_id));
    TRY(const auto user, table.number<std::uint32_t>(process_id::user_id));
    TRY(const auto what, table.number<std::uint8_t>(process_id::event_type));
    TRY(const auto hits, table.number<std::uint32_t>(process_id::hit_count, 1));
    JsonWriter json;
    json.begin_object();
    TRY_VOID(put_text(json, "Executable", table, process_id::executable));
    json.key("ProcessId").value(pid).key("ParentProcessId").value(parent).key("UserId").value(std::to_string(user));
    TRY_VOID(put_text(json, "UserName", table, process_id::user_name));
    TRY_VOID(put_text(json, "CommandLine", table, process_id::command_line));
    json.key("HitCount").value(hits);
    if (what >= kProcessEvents.size()) ++unknown_;
    const std::string event_type = what < kProcessEvents.size() ? std::string(kProcessEvents[what])
                                                                : std::to_string(static_cast<std::int8_t>(what));
    const bool ends = what == static_cast<std::uint8_t>(ProcessEvent::exit);
    return named(ends ? "ProcessTerminate" : "ProcessCreate", finish(json, table.offset(), event_type));
  }

  Result<> log(const FlatTable& table) {
    TRY(const auto lines, table.vector(0, 4));
    for (std::uint32_t i = 0; i < lines.count; ++i) {
      TRY(const auto line, table.element(lines, i));
      TRY(const auto level, line.number<std::uint8_t>(log_id::level));
      TRY(const auto time, line.number<std::uint64_t>(log_id::timestamp));
      TRY(const auto number, line.number<std::uint32_t>(log_id::line));
      JsonWriter json;
      json.begin_object();
      TRY_VOID(put_text(json, "Message", line, log_id::message));
      put_enum(json, "Level", level, kLogLevels);
      json.key("Timestamp").value(time).key("Line").value(number);
      TRY_VOID(put_text(json, "Filename", line, log_id::filename));
      TRY_VOID(finish(json, line.offset()));
    }
    return {};
  }

  FlatBuffer& buffer_;
  std::size_t bytes_left_;
  std::uint32_t interval_ = 0;
  std::uint64_t unknown_ = 0;
  std::string items_;
};

struct Collected {
  JsonWriter json;
  std::vector<std::size_t> index;  // of each event in `json`
  std::vector<RejectedEvent> rejected;
};

// Structural damage fails the message; an event that is whole but says nothing usable is rejected alone.
Result<> collect_event(const FlatTable& event, std::size_t index, Translator& translator, Collected& out) {
  TRY(const auto id, event.structure(event_id::id, 16));
  TRY(const auto time, event.number<std::uint32_t>(event_id::time));
  TRY(const auto interval, event.number<std::uint32_t>(event_id::collection_interval));
  TRY(const auto kind, event.number<std::uint8_t>(event_id::payload_type));
  TRY(const auto payload, event.table(event_id::payload));
  const auto reject = [&](Errc code, std::string_view where) {
    out.rejected.push_back({index, Error{code, where, event.offset()}});
  };
  if (!id) {
    reject(Errc::malformed, "message.event.id");
    return {};
  }
  if (!payload || kind == 0 || kind > static_cast<std::uint8_t>(Payload::log)) {
    reject(payload && kind != 0 ? Errc::unsupported : Errc::malformed, "message.event.payload");
    return {};
  }
  TRY(const Translated translated, translator.payload(static_cast<Payload>(kind), *payload, interval));
  out.json.begin_object().key("Id").value(uuid_text(*id));
  out.json.key("TimestampUTC").value(Timestamp{std::int64_t{time} * 1'000'000});
  out.json.key("Name").value(translated.name).key("IsEmpty").value(translated.items.empty());
  out.json.key("PayloadSchemaVersion").value("2.3").key("Payload").begin_array();
  if (!translated.items.empty()) out.json.raw(translated.items);
  out.json.end_array().end_object();
  out.index.push_back(index);
  return {};
}

Result<std::string> agent_version(const FlatTable& message) {
  TRY(const auto packed, message.number<std::uint32_t>(message_id::module_version));
  return std::to_string(packed >> 24) + "." + std::to_string(packed >> 16 & 0xFF) + "." +
         std::to_string(packed & 0xFFFF);
}

}  // namespace

Result<SecurityMessage> decode_rtos(Bytes body, std::string_view version, const Limits& limits, JsonDecoder& json) {
  FlatBuffer buffer(body, kStepsMax);
  TRY(const auto root, FlatTable::root(buffer));
  TRY(const auto events, root.vector(message_id::events, 4));
  if (events.count == 0) return fail(Errc::malformed, "message.events", root.offset());
  if (events.count > limits.events_max) return fail(Errc::limit_exceeded, "message.events", events.first);
  TRY(const auto module_id, root.text(message_id::module_id));
  TRY(const auto module_version, agent_version(root));

  Collected collected;
  collected.json.begin_object().key("MessageSchemaVersion").value("3.0");
  collected.json.key("AgentVersion").value(module_version).key("AgentId").value(module_id.substr(0, kIdBytesMax));
  collected.json.key("Events").begin_array();
  Translator translator(buffer, limits);
  for (std::uint32_t i = 0; i < events.count; ++i) {
    TRY(const auto event, root.element(events, i));
    TRY_VOID(collect_event(event, i, translator, collected));
  }
  collected.json.end_array().end_object();

  SecurityMessage message;
  if (!collected.index.empty()) {
    TRY(message, json.decode(collected.json.take()));
    for (std::size_t& index : message.event_index) index = collected.index[index];
    for (RejectedEvent& rejected : message.rejected) rejected.index = collected.index[rejected.index];
  }
  message.rejected.insert(message.rejected.end(), collected.rejected.begin(), collected.rejected.end());
  message.encoding = Encoding::flatbuffers;
  message.schema_version = message.arena->store(version);
  message.unknown_enum_values = translator.unknown_enum_values();
  return message;
}

}  // namespace picket::message
