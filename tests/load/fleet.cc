#include "fleet.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace picket::load {
namespace {

/// splitmix64: small, and the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58'476D'1CE4'E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D0'49BB'1331'11EBULL;
    return z ^ (z >> 31U);
  }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  /// Small numbers are many times as frequent as large ones, as names and addresses are.
  std::uint64_t skewed(std::uint64_t n) { return std::min(below(n), std::min(below(n), below(n))); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

constexpr std::array<std::string_view, 24> kPrograms{
    "/usr/bin/sensor-read", "/usr/bin/modbus-poll", "/bin/sh",        "/usr/bin/grep",       "/usr/bin/cat",
    "/usr/bin/awk",         "/usr/bin/sed",         "/usr/bin/sleep", "/usr/sbin/logrotate", "/usr/bin/systemctl",
    "/usr/bin/python3",     "/usr/bin/bash",        "/usr/sbin/cron", "/usr/bin/find",       "/usr/bin/ps",
    "/usr/bin/ip",          "/usr/bin/date",        "/usr/bin/opcua", "/usr/bin/mqtt-send",  "/usr/bin/curl",
    "/usr/bin/ssh",         "/usr/bin/openssl",     "/usr/bin/wget",  "/usr/bin/base64"};
constexpr std::array<std::string_view, 6> kParents{
    "/usr/sbin/plc-runtime", "/usr/sbin/cron", "/bin/sh",
    "/usr/bin/bash",         "/usr/sbin/sshd", "/usr/lib/systemd/systemd"};
constexpr std::array<std::string_view, 6> kUsers{"operator", "root", "plc", "www-data", "maintenance", "nobody"};
constexpr std::array<std::string_view, 6> kUserIds{"1000", "0", "990", "33", "1001", "65534"};
constexpr std::array<std::string_view, 8> kPorts{"443", "8883", "502", "53", "123", "4840", "22", "80"};
constexpr std::array<std::string_view, 6> kFolders{"/etc/plc",       "/var/log/plc", "/etc/ssh",
                                                   "/home/operator", "/opt/recipes", "/tmp"};
constexpr std::array<std::string_view, 6> kMasks{"Modified", "Created",         "Deleted",
                                                 "Closed",   "MetadataChanged", "Moved"};

std::string numbered(const char* format, std::uint64_t n) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), format, static_cast<unsigned long long>(n));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string address(std::uint64_t n) {
  return std::to_string(20 + n % 180) + "." + std::to_string(n / 180 % 250) + "." + std::to_string(n % 7) + "." +
         std::to_string(1 + n % 250);
}

std::string event_id(Random& random) {
  const std::uint64_t a = random.next();
  const std::uint64_t b = random.next();
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-4%03x-8%03x-%012llx", static_cast<unsigned>(a >> 32U),
                static_cast<unsigned>(a >> 16U & 0xFFFFU), static_cast<unsigned>(a & 0xFFFU),
                static_cast<unsigned>(b >> 52U), static_cast<unsigned long long>(b & 0xFFFF'FFFF'FFFFULL));
  return {text.data(), 36};
}

std::string command_line(Random& random, std::size_t program) {
  const std::string_view path = kPrograms[program];
  const std::string_view name = path.substr(path.rfind('/') + 1);
  std::string out(name);
  switch (program) {
    case 0:
    case 1:
      return out + " --channel " + std::to_string(random.below(64)) + " --cycle " + std::to_string(random.below(4096));
    case 19:
    case 22:
      return out + " -fsS https://update" + std::to_string(random.skewed(40)) + ".example.com/feed/" +
             numbered("%06llx", random.below(1U << 24U));
    case 20:
      return out + " -o BatchMode=yes maintenance@10.0." + std::to_string(random.below(4)) + "." +
             std::to_string(1 + random.below(250));
    default:
      return out + " -c /etc/plc/job-" + std::to_string(random.skewed(500)) + ".conf --run " +
             numbered("%08llx", random.next() & 0xFFFF'FFFFU);
  }
}

void user(JsonWriter& json, std::size_t index) {
  json.key("UserId").value(kUserIds[index]).key("UserName").value(kUsers[index]);
}

void process(JsonWriter& json, Random& random, bool end) {
  const std::size_t program = random.skewed(kPrograms.size());
  json.key("Executable").value(kPrograms[program]).key("ProcessId").value(300 + random.below(60'000));
  json.key("ParentProcessId").value(1 + random.below(3'000));
  user(json, random.skewed(kUsers.size()));
  json.key("CommandLine").value(command_line(random, program));
  json.key("ParentExecutable").value(kParents[random.skewed(kParents.size())]);
  json.key("CurrentDirectory").value(random.one_in(4) ? "/home/operator" : "/");
  json.key("Source").value("ebpf").key("HitCount").value(1 + random.skewed(40));
  if (end) {
    json.key("ExitStatus").value(random.one_in(20) ? random.below(256) : 0);
    json.key("DurationMs").value(random.skewed(90'000)).key("CpuTimeMs").value(random.skewed(4'000));
  } else if (random.one_in(3)) {
    json.key("ExecutableHash")
        .value(numbered("%016llx", program * 0x1234'5678'9ABCULL + 7) + numbered("%016llx", program * 77'777'777ULL) +
               std::string(32, 'a'));
  }
}

void connection(JsonWriter& json, Random& random) {
  const bool out = !random.one_in(5);
  json.key("RemoteAddress").value(address(random.skewed(5'000)));
  json.key("RemotePort").value(kPorts[random.skewed(kPorts.size())]).key("LocalAddress").value("10.0.0.7");
  json.key("LocalPort").value(std::to_string(30'000 + random.below(20'000)));
  json.key("Direction").value(out ? "Out" : "In").key("Protocol").value(random.one_in(6) ? "udp" : "tcp");
  json.key("ProcessId").value(300 + random.below(60'000));
  user(json, random.skewed(kUsers.size()));
  const std::size_t program = random.skewed(kPrograms.size());
  json.key("Executable").value(kPrograms[program]).key("CommandLine").value(command_line(random, program));
  json.key("Result").value(random.one_in(30) ? "Fail" : "Success").key("HitCount").value(1 + random.skewed(200));
  json.key("BytesIn").value(random.skewed(200'000)).key("BytesOut").value(random.skewed(60'000));
  json.key("BytesInMax").value(random.skewed(9'000)).key("DurationMs").value(random.skewed(120'000));
  json.key("Source").value("ebpf");
}

void look_up(JsonWriter& json, Random& random) {
  json.key("QueryName").value("host" + std::to_string(random.skewed(3'000)) + ".example.com");
  json.key("QueryType").value(random.one_in(3) ? "AAAA" : "A");
  json.key("ResponseCode").value(random.one_in(25) ? "NXDOMAIN" : "NOERROR");
  json.key("Answers").begin_array();
  for (std::uint64_t i = random.below(3); i > 0; --i) json.value(address(random.skewed(5'000)));
  json.end_array().key("RemoteAddress").value("10.0.0.1").key("ProcessId").value(300 + random.below(60'000));
  json.key("Executable").value(kPrograms[random.skewed(kPrograms.size())]).key("HitCount").value(1 + random.skewed(60));
}

void login(JsonWriter& json, Random& random) {
  const bool failed = random.one_in(8);
  json.key("ProcessId").value(300 + random.below(60'000)).key("Operation").value(failed ? "LoginFailed" : "Login");
  json.key("Executable").value("/usr/sbin/sshd").key("Result").value(failed ? "Fail" : "Success");
  user(json, random.skewed(kUsers.size()));
  json.key("RemoteAddress").value("192.0.2." + std::to_string(random.skewed(200)));
  json.key("RemotePort").value(std::to_string(40'000 + random.below(20'000))).key("LocalPort").value("22");
  json.key("Method").value(random.one_in(3) ? "password" : "publickey");
}

void file(JsonWriter& json, Random& random) {
  json.key("Path").value(std::string(kFolders[random.skewed(kFolders.size())]) + "/file-" +
                         std::to_string(random.skewed(20'000)) + ".conf");
  json.key("Mask").value(kMasks[random.skewed(kMasks.size())]);
  json.key("Executable").value(kPrograms[random.skewed(kPrograms.size())]);
  json.key("ProcessId").value(300 + random.below(60'000));
  user(json, random.skewed(kUsers.size()));
  json.key("Mode").value("0644");
}

void system_information(JsonWriter& json, Random& random) {
  json.key("OSName").value("Debian GNU/Linux").key("OSVersion").value(random.one_in(3) ? "11" : "12");
  json.key("OsArchitecture").value("aarch64").key("HostName").value("plc" + std::to_string(random.below(2'000)));
  json.key("HardwareVendor").value("Example Automation").key("HardwareModel").value("PLC-7");
  json.key("FirmwareVersion").value("4." + std::to_string(random.skewed(9)) + ".1");
  json.key("FreePhysicalMemoryInKB").value(20'000 + random.below(400'000));
  json.key("Nics").begin_array();
  for (std::uint64_t i = 0, n = 1 + random.below(3); i < n; ++i) {
    json.begin_object().key("Name").value("eth" + std::to_string(i)).key("Type").value("physical");
    json.key("Mac").value("02:00:00:00:00:0" + std::to_string(i)).key("Ipv4Addresses").begin_array();
    json.value("10.0." + std::to_string(random.below(200)) + ".7").end_array().end_object();
  }
  json.end_array();
}

void baseline(JsonWriter& json, Random& random) {
  const std::uint64_t check = random.below(120);
  json.key("BaselineCheckId").value("msid-" + std::to_string(check));
  json.key("BaselineCheckResult").value(random.one_in(6) ? "FAIL" : "PASS");
  json.key("BaselineCheckDescription").value("Check number " + std::to_string(check) + " of the configuration");
  json.key("BaselineCheckSeverity").value(check % 4 == 0 ? "Critical" : "Warning");
}

struct Kind {
  std::uint64_t through;  ///< Of 1,000 events.
  const char* name;
  const char* category;
  void (*write)(JsonWriter&, Random&);
};

constexpr Kind kKinds[] = {
    {420, "ProcessCreate", "Triggered", [](JsonWriter& json, Random& random) { process(json, random, false); }},
    {530, "ProcessTerminate", "Triggered", [](JsonWriter& json, Random& random) { process(json, random, true); }},
    {800, "ConnectionCreate", "Triggered", connection},
    {870, "Dns", "Triggered", look_up},
    {900, "Login", "Triggered", login},
    {950, "FileSystem", "Triggered", file},
    {965, "SystemInformation", "Periodic", system_information},
    {985, "Baseline", "Periodic", baseline},
    {1'000, "Heartbeat", "Periodic",
     [](JsonWriter& json, Random& random) {
       json.key("UptimeSeconds").value(random.below(5'000'000)).key("DroppedEvents").value(random.one_in(50) ? 3 : 0);
     }},
};

}  // namespace

Timestamp Fleet::time_of(std::uint64_t message) const {
  const auto whole = static_cast<double>((to - from).us);
  return {from.us + static_cast<std::int64_t>(whole * (static_cast<double>(message) / static_cast<double>(messages)))};
}

std::string Fleet::device_of(std::uint64_t message) const {
  Random random(message * 3 + 1);
  return numbered("plc-%04llu", random.one_in(3) ? random.skewed(devices) : random.below(devices));
}

std::string Fleet::body_of(std::uint64_t message) const {
  Random random(message * 3 + 2);
  const Timestamp sent = time_of(message);
  JsonWriter json;
  json.begin_object().key("AgentVersion").value("0.1.0").key("AgentId").value("00000000-0000-4000-8000-000000f1ee70");
  json.key("MessageSchemaVersion").value("3.0").key("SentUtc").value(sent).key("Events").begin_array();
  for (std::uint32_t i = 0; i < kFleetEventsPerMessage; ++i) {
    const std::uint64_t share = random.below(1'000);
    const Kind& kind = *std::ranges::find_if(kKinds, [&](const Kind& k) { return share < k.through; });
    const Timestamp time = sent - Duration::milliseconds(static_cast<std::int64_t>(random.below(60'000)));
    json.begin_object().key("Id").value(event_id(random)).key("TimestampLocal").value(time);
    json.key("TimestampUTC").value(time).key("Category").value(kind.category).key("Name").value(kind.name);
    json.key("EventType").value("Security").key("IsEmpty").value(false).key("PayloadSchemaVersion").value("1.0");
    json.key("Payload").begin_array().begin_object();
    kind.write(json, random);
    json.end_object().end_array().end_object();
  }
  return json.end_array().end_object().take();
}

}  // namespace picket::load
