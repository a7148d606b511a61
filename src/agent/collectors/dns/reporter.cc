#include "dns/reporter.h"

#include "agent/name_cache.h"
#include "support/address_text.h"
#include "support/event_record.h"

namespace picket::agent {

DnsReporter::DnsReporter(const Environment& environment, std::string_view tier)
    : environment_(environment),
      origin_{"dns", tier, false},
      owner_(environment.settings.procfs),
      table_(environment.settings.dns_timeout, [this](const LookUp& look_up) { report(look_up); }) {}

void DnsReporter::take(Bytes packet, const Seen& seen) {
  const auto dns = parse_dns_packet(packet);
  if (!dns) return;
  const bool wanted =
      (dns->destination.port == kDnsPort && seen.may_ask) || (dns->source.port == kDnsPort && seen.may_answer);
  if (!wanted) return;
  const Moment now = moment_of(environment_.clock);
  if (dns->protocol == 6) {
    streams_.take(*dns, now.monotonic, [&](Bytes message) { take_message(message, *dns, seen, now); });
  } else if (!dns->message.empty()) {
    take_message(dns->message, *dns, seen, now);
  }
}

void DnsReporter::take_message(Bytes bytes, const DnsPacket& packet, const Seen& seen, Moment now) {
  auto message = parse_dns(bytes);
  if (!message) return refuse();
  const bool to_server = packet.destination.port == kDnsPort, from_server = packet.source.port == kDnsPort;
  if (!message->is_response && to_server && seen.may_ask) {
    ask(*message, packet, seen, bytes.size(), now);
  } else if (message->is_response && from_server && seen.may_answer) {
    if (!table_.answer(*message, packet.protocol, packet.destination, packet.source, bytes.size(), now)) refuse();
  }
}

void DnsReporter::ask(const DnsMessage& message, const DnsPacket& packet, const Seen& seen, std::size_t bytes,
                      Moment now) {
  LookUp* look_up = table_.ask(message, packet.protocol, packet.source, packet.destination, bytes, now);
  if (look_up == nullptr) return;
  look_up->pid =
      seen.pid != 0 ? seen.pid : owner_.find(packet.protocol, packet.source, packet.destination, now.monotonic);
  if (look_up->pid != 0) look_up->executable = owner_.executable(look_up->pid);
}

void DnsReporter::tell(LookUp& look_up) {
  if (look_up.pid != 0) look_up.executable = owner_.executable(look_up.pid);
  report(look_up);
}

void DnsReporter::report(const LookUp& look_up) {
  for (const IpAddress& address : look_up.addresses) looked_up_names().put(address, look_up.name);
  const std::string type = look_up.type != 0 ? dns_type_text(look_up.type) : "",
                    server = address_text(look_up.server.address);
  const std::string code = look_up.timed_out ? "TIMEOUT" : look_up.code ? dns_code_text(*look_up.code) : "";
  const std::vector<std::string_view> answers(look_up.answers.begin(), look_up.answers.end());
  message::Dns item{.query_name = look_up.name,
                    .query_type = type,
                    .response_code = code,
                    .answers = answers,
                    .remote_address = server,
                    .executable = look_up.executable,
                    .source = origin_.tier};
  if (look_up.pid != 0) item.process_id = look_up.pid;
  std::string identity = look_up.name;
  for (const std::string_view part : {std::string_view(type), std::string_view(code), std::string_view(server),
                                      std::string_view(look_up.executable)}) {
    identity.append(1, '\0').append(part);
  }
  const EventRecord sums{
      .failed = !look_up.code || *look_up.code != 0, .bytes_in = look_up.bytes_in, .bytes_out = look_up.bytes_out};
  ++counters_.seen;
  if (emit_counted(environment_.sink, look_up.time, origin_, environment_.priority, identity, item, sums)) {
    ++counters_.delivered;
    if (look_up.executable.empty()) ++counters_.incomplete;
  } else {
    ++counters_.dropped_user;
  }
}

/// No message that can be read, or an answer that nobody asked for.
void DnsReporter::refuse() {
  ++counters_.seen;
  ++counters_.dropped_user;
}

void DnsReporter::count_lost(std::uint64_t count) {
  counters_.seen += count;
  counters_.dropped_kernel += count;
}

Duration DnsReporter::on_time() { return table_.on_time(moment_of(environment_.clock)); }

}  // namespace picket::agent
