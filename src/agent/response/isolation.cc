#include "isolation.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <unistd.h>

#include "agent/record.h"
#include "base/core/file.h"
#include "base/core/json_writer.h"

namespace picket::agent {
namespace {

constexpr std::size_t kStateBytesMax = 16 << 10;
constexpr std::size_t kHubAddressesMax = 16;
constexpr std::size_t kNameServersMax = 8;
constexpr std::size_t kResolvConfBytesMax = 16 << 10;
constexpr std::int32_t kBeforeOthers = -300;  ///< Earlier than every usual chain: also before connections are tracked.
constexpr std::uint16_t kDns = 53;
constexpr Duration kTryAgain = Duration::seconds(30);

std::optional<IpAddress> parse_address(std::string_view text) {
  IpAddress out;
  const std::string name(text);
  if (::inet_pton(AF_INET, name.c_str(), out.bytes.data()) == 1) {
    out.length = 4;
  } else if (::inet_pton(AF_INET6, name.c_str(), out.bytes.data()) == 1) {
    out.length = 16;
  } else {
    return std::nullopt;
  }
  return out;
}

std::string text_of(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(address.length == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

Network host(const IpAddress& address) { return {address, static_cast<std::uint8_t>(address.length * 8)}; }

class Table {
 public:
  explicit Table(NftBatch& batch) : batch_(batch) {}
  void input(const NftBatch::Rule& rule) { batch_.add_rule(kIsolationTable, "input", rule); }
  void output(const NftBatch::Rule& rule) { batch_.add_rule(kIsolationTable, "output", rule); }

 private:
  NftBatch& batch_;
};

/// A lease that ends would cut the hub off too.
void let_dhcp_through(Table table) {
  for (const auto& [client, server, length] : {std::tuple{std::uint16_t{68}, std::uint16_t{67}, std::uint8_t{4}},
                                               std::tuple{std::uint16_t{546}, std::uint16_t{547}, std::uint8_t{16}}}) {
    table.output(NftBatch::Rule().family(length).protocol(IPPROTO_UDP).source_port(client).destination_port(server));
    table.input(NftBatch::Rule().family(length).protocol(IPPROTO_UDP).source_port(server).destination_port(client));
  }
}

/// Without these no packet reaches the hub: neighbours and routers of IPv6 (RFC 4861), and packets that are too big.
void let_control_through(Table table) {
  constexpr std::uint8_t kRouterSolicitation = 133, kNeighbourAdvertisement = 136, kUnreachable4 = 3;
  constexpr std::uint8_t kUnreachable6 = 1, kParameterProblem6 = 4;
  const auto v6 = [] { return NftBatch::Rule().family(16).protocol(IPPROTO_ICMPV6); };
  table.output(v6().icmp_type(kRouterSolicitation, kNeighbourAdvertisement));
  table.input(v6().icmp_type(kRouterSolicitation, kNeighbourAdvertisement));
  table.input(v6().icmp_type(kUnreachable6, kParameterProblem6));
  table.input(NftBatch::Rule().family(4).protocol(IPPROTO_ICMP).icmp_type(kUnreachable4, kUnreachable4));
}

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network out = host(*address);
  if (slash == std::string_view::npos) return out;
  const std::string_view bits = text.substr(slash + 1);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), value);
  if (error != std::errc() || end != bits.data() + bits.size() || value > out.prefix_bits) return std::nullopt;
  out.prefix_bits = static_cast<std::uint8_t>(value);
  return out;
}

std::vector<IpAddress> parse_name_servers(std::string_view text) {
  std::vector<IpAddress> out;
  while (!text.empty() && out.size() < kNameServersMax) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    constexpr std::string_view kWord = "nameserver";
    if (!line.starts_with(kWord)) continue;
    line.remove_prefix(kWord.size());
    const auto from = line.find_first_not_of(" \t");
    if (from == 0 || from == std::string_view::npos) continue;
    line.remove_prefix(from);
    if (const auto address = parse_address(line.substr(0, line.find_first_of(" \t\r%")))) out.push_back(*address);
  }
  return out;
}

NftBatch isolation_batch(const IsolationRules& rules) {
  NftBatch batch;
  // Adding what is there already is no error, deleting what is not there is one.
  batch.add_table(kIsolationTable);
  batch.delete_table(kIsolationTable);
  batch.add_table(kIsolationTable);
  batch.add_dropping_chain(kIsolationTable, "input", NF_INET_LOCAL_IN, kBeforeOthers);
  batch.add_dropping_chain(kIsolationTable, "output", NF_INET_LOCAL_OUT, kBeforeOthers);
  batch.add_dropping_chain(kIsolationTable, "forward", NF_INET_FORWARD, kBeforeOthers);
  Table table(batch);
  table.input(NftBatch::Rule().loopback(true));
  table.output(NftBatch::Rule().loopback(false));
  for (const Endpoint& hub : rules.hub) {
    table.output(NftBatch::Rule().destination(host(hub.address)).protocol(IPPROTO_TCP).destination_port(hub.port));
    table.input(NftBatch::Rule().source(host(hub.address)).protocol(IPPROTO_TCP).source_port(hub.port));
  }
  for (const IpAddress& server : rules.name_servers) {
    for (const std::uint8_t protocol : {std::uint8_t{IPPROTO_UDP}, std::uint8_t{IPPROTO_TCP}}) {
      table.output(NftBatch::Rule().destination(host(server)).protocol(protocol).destination_port(kDns));
      table.input(NftBatch::Rule().source(host(server)).protocol(protocol).source_port(kDns));
    }
  }
  for (const Network& network : rules.allow) {
    table.output(NftBatch::Rule().destination(network));
    table.input(NftBatch::Rule().source(network));
  }
  let_dhcp_through(table);
  let_control_through(table);
  return batch;
}

NftBatch release_batch() {
  NftBatch batch;
  batch.add_table(kIsolationTable);
  batch.delete_table(kIsolationTable);
  return batch;
}

Isolation::Isolation(EventLoop& loop, Places places, OnEnd on_end)
    : loop_(loop),
      places_(std::move(places)),
      on_end_(std::move(on_end)),
      timer_(loop.add_timer([this] { on_time(); })) {}

void Isolation::add_hub(const Endpoint& hub) {
  if (hub.address.length == 0 || std::ranges::find(rules_.hub, hub) != rules_.hub.end()) return;
  if (rules_.hub.size() >= kHubAddressesMax) rules_.hub.erase(rules_.hub.begin());
  rules_.hub.push_back(hub);
}

Result<> Isolation::apply() {
  rules_.name_servers.clear();
  for (const std::string& path : places_.resolv_conf) {
    const auto text = read_file(path, kResolvConfBytesMax);
    if (!text) continue;
    for (const IpAddress& each : parse_name_servers(*text)) rules_.name_servers.push_back(each);
  }
  NftBatch batch = isolation_batch(rules_);
  return send_batch(batch);
}

ActionResult Isolation::isolate(const Json& arguments, const Endpoint& hub, std::string_view command_id) {
  Duration asked = kIsolationDefault;
  if (const auto seconds = arguments.find("durationSeconds")) {
    const auto value = seconds->integer();
    if (!value || *value < 1 || *value > kIsolationMax.whole_seconds()) {
      return {400, "durationSeconds must be from 1 to " + std::to_string(kIsolationMax.whole_seconds())};
    }
    asked = Duration::seconds(*value);
  }
  std::vector<Network> allow;
  std::string wrong;
  if (const auto list = arguments.find("allow")) {
    if (list->kind() != Json::Kind::array) return {400, "allow must be a list of addresses and networks"};
    list->for_items([&](Json item) {
      const std::string text = item.text().value_or("");
      const auto network = parse_network(text);
      if (!network || allow.size() == kIsolationAllowMax) {
        wrong = network ? "allow holds more than " + std::to_string(kIsolationAllowMax) + " networks"
                        : "allow: '" + text.substr(0, 64) + "' is no address or network";
      } else {
        allow.push_back(*network);
      }
    });
  }
  if (!wrong.empty()) return {400, wrong};
  if (hub.address.length == 0) return {409, "it is not known where the hub is; an isolation would cut it off"};

  const IsolationRules before = rules_;
  rules_ = {.hub = {}, .name_servers = {}, .allow = std::move(allow)};
  add_hub(hub);
  const Timestamp until_before = until_;
  until_ = loop_.clock().now() + asked;
  asked_ = asked;
  command_id_ = command_id;
  // Kept before it is in force: after a power loss in between the device is isolated, and its time is known.
  auto done = save();
  if (done) done = apply();
  if (!done) {
    rules_ = before;
    until_ = until_before;
    if (!in_force_) (void)::unlink(places_.state_file.c_str());
    return {500, "isolation cannot be put in force: " + describe(done.error())};
  }
  in_force_ = true;
  set_timer();
  return {200, "isolated until " + format_rfc3339(until_), "\"until\":\"" + format_rfc3339(until_) + "\""};
}

ActionResult Isolation::release() {
  const bool was = in_force_;
  NftBatch batch = release_batch();
  const auto done = send_batch(batch);
  if (!done && done.error().code != Errc::unsupported) {
    return {500, "the isolation cannot be ended: " + describe(done.error())};
  }
  if (::unlink(places_.state_file.c_str()) != 0 && errno != ENOENT) {
    return {500, "the isolation has ended, but would come back at the next start: " + places_.state_file + ": " +
                     std::strerror(errno)};
  }
  in_force_ = false;
  rules_ = {};
  loop_.stop_timer(timer_);
  return {200, was ? "released" : "it was not isolated"};
}

void Isolation::hub_at(const Endpoint& hub) {
  if (!in_force_ || std::ranges::find(rules_.hub, hub) != rules_.hub.end()) return;
  add_hub(hub);
  (void)save();
  if (const auto done = apply(); !done) {
    on_end_(false, command_id_, "the hub's new address is not let through: " + describe(done.error()));
  }
}

Result<> Isolation::save() const {
  JsonWriter json;
  json.begin_object().key("command").value(command_id_).key("until").value(until_);
  json.key("seconds").value(asked_.whole_seconds()).key("hub").begin_array();
  for (const Endpoint& each : rules_.hub) {
    json.begin_object().key("address").value(text_of(each.address)).key("port").value(int{each.port}).end_object();
  }
  json.end_array().key("allow").begin_array();
  for (const Network& each : rules_.allow) {
    json.value(text_of(each.address) + "/" + std::to_string(each.prefix_bits));
  }
  return replace_file(places_.state_file, as_bytes(json.end_array().end_object().take()));
}

void Isolation::resume() {
  const auto text = read_file(places_.state_file, kStateBytesMax);
  if (!text) return;
  const auto json = parse_json(*text, 4);
  const auto member = [&](std::string_view name) { return json ? json->find(name) : std::nullopt; };
  const auto until = member("until") ? member("until")->text() : std::nullopt;
  const auto seconds = member("seconds") ? member("seconds")->integer() : std::nullopt;
  const auto time = until ? parse_rfc3339(*until) : Result<Timestamp>(fail(Errc::malformed, "response.isolation"));
  if (!time || !seconds) {
    // Nobody knows how long it should last, so it must not last for ever.
    on_end_(true, "", "the state of an isolation is damaged; released");
    (void)release();
    return;
  }
  if (const auto command = member("command")) command_id_ = command->text().value_or("");
  asked_ = std::clamp(Duration::seconds(*seconds), Duration::seconds(1), kIsolationMax);
  until_ = std::min(*time, loop_.clock().now() + asked_);
  if (const auto hub = member("hub")) {
    hub->for_items([this](Json item) {
      const auto address = item.find("address"), port = item.find("port");
      const auto parsed = address ? parse_address(address->text().value_or("")) : std::nullopt;
      const auto number = port ? port->integer() : std::nullopt;
      if (parsed && number) add_hub({*parsed, static_cast<std::uint16_t>(*number)});
    });
  }
  if (const auto allow = member("allow")) {
    allow->for_items([this](Json item) {
      const auto network = parse_network(item.text().value_or(""));
      if (network && rules_.allow.size() < kIsolationAllowMax) rules_.allow.push_back(*network);
    });
  }
  in_force_ = true;
  if (until_ <= loop_.clock().now()) return on_time();
  if (const auto done = apply(); !done) {
    on_end_(false, command_id_, "the isolation cannot be put in force again: " + describe(done.error()));
  }
  set_timer();
}

void Isolation::set_timer() { loop_.set_timer(timer_, loop_.clock().monotonic() + (until_ - loop_.clock().now())); }

void Isolation::on_time() {
  const std::string command = command_id_;
  const ActionResult done = release();
  if (done.status != 200) loop_.set_timer(timer_, loop_.clock().monotonic() + kTryAgain);
  on_end_(done.status == 200, command, done.status == 200 ? "the isolation has ended by its time" : done.message);
}

ActionResult release_isolation(const std::string& data_dir) {
  NftBatch batch = release_batch();
  if (const auto done = send_batch(batch); !done && done.error().code != Errc::unsupported) {
    return {500, "the isolation cannot be ended: " + describe(done.error())};
  }
  const std::string path = data_dir + "/response/isolation";
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return {500, path + ": " + std::strerror(errno)};
  return {200, "released"};
}

}  // namespace picket::agent
