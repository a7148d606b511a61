// A device that looks for others: many hosts on one port, many ports on one host, tried in vain. True sliding windows
// over event time.
#include <array>

#include "behavior/behavior.h"
#include "behavior/distinct_window.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

/// Zeek's default for address scans; spec: threat catalogue.
constexpr DistinctWindow::Bounds kHosts{.window = Duration::minutes(5), .values_min = 25};
constexpr DistinctWindow::Bounds kPorts{.window = Duration::minutes(5), .values_min = 15};
/// Ports on which bots look for the next device need fewer hosts: nothing healthy tries them in vain one after another.
constexpr DistinctWindow::Bounds kSpreading{.window = Duration::minutes(5), .values_min = 10};
constexpr std::array<std::string_view, 9> kBotPorts{"23",   "2323", "5555",  "7547", "8081",
                                                    "8181", "9000", "37215", "8443"};
/// Of the happenings of a record so large a part must have failed: a client of many servers succeeds.
constexpr std::uint64_t kFailedPercentMin = 80;
constexpr std::size_t kWindowsMax = 16'384;  ///< Of all devices.
constexpr std::size_t kNamesListed = 16;

/// Failed, or opened without ever a byte of an answer: half-open scans send packets of their own, which succeed.
bool in_vain(const DetectorEvent& event) {
  const std::uint64_t failures = failures_of(event);
  if (failures != 0 && failures * 100 >= hits_of(event) * kFailedPercentMin) return true;
  // A record without happenings of its own tells the bytes of an earlier one.
  return event.integer(Field::HitCount, 1) == 0 && event.integer(Field::ProcessId, 0) > 0 &&
         event.text(Field::Protocol) == "tcp" && event.integer(Field::BytesIn, 1) == 0;
}

bool is_bot_port(std::string_view port) { return std::ranges::find(kBotPorts, port) != kBotPorts.end(); }

class NetworkScan final : public RememberingEntries<Detector, DistinctWindow> {
 public:
  NetworkScan() : RememberingEntries("behavior.network_scan", kWindowsMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - kHosts.window - kHosts.lateness); }

 private:
  /// What one way of looking at the record found: `fixed` is what all have in common, `value` what differs.
  struct View {
    std::string_view kind;
    std::string_view fixed;
    std::string_view value;
    const DistinctWindow::Bounds& bounds;
    std::string_view alert;
    std::string_view counted;  ///< Name of the number in the alert.
    std::string_view listed;
  };
  void see_ping(const DetectorEvent& event, std::vector<Finding>& findings);
  void look(const View& view, const DetectorEvent& event, std::vector<Finding>& findings);
};

void NetworkScan::look(const View& view, const DetectorEvent& event, std::vector<Finding>& findings) {
  DistinctWindow& window = table_.touch(device_key(event, view.kind, view.fixed));
  const TimeSpan span = span_of(event);
  window.last = event.enqueued;
  count_evicted(window.add(view.bounds, view.value, span.first, span.last, event.evidence()));
  const auto fresh = window.report(view.bounds);
  if (fresh.empty()) return;
  Finding finding{.alert_type = view.alert, .group_key = state_key(view.kind, view.fixed)};
  add_sightings(finding, view.bounds, fresh);
  finding.properties = {{std::string(view.counted), std::to_string(window.values())},
                        {"Window", "5 min"},
                        {view.kind == "ports" ? "Remote Address" : "Remote Port", std::string(view.fixed)},
                        {std::string(view.listed), joined(window.names(kNamesListed))},
                        {"Executable", std::string(event.text(Field::Executable))},
                        {"CommandLine", std::string(event.text(Field::CommandLine))}};
  if (view.kind == "ping") finding.techniques = {"T1018"};
  finding.entities = {{"ip", {{"Address", normal_address(event.text(Field::RemoteAddress))}}}};
  findings.push_back(std::move(finding));
}

/// One ping after another: packets of that kind are no connections, whoever sends them is seen.
void NetworkScan::see_ping(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto line = event.text(Field::CommandLine);
  const auto first = file_name_of(line.substr(0, line.find(' ')));
  const auto program = first == "busybox" && line.find(" ping") == line.find(' ') ? "ping" : first;
  if (program != "ping" && program != "ping6" && program != "arping") return;
  const auto host = line.substr(line.rfind(' ') + 1);
  if (host.empty() || host.starts_with('-') || is_loopback(host)) return;
  look({"ping", "icmp", host, kHosts, "IoT_NetworkScan", "Hosts", "Addresses"}, event, findings);
  keep_bound();
}

void NetworkScan::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  if (event.event.kind == message::EventKind::ProcessCreate) return see_ping(event, findings);
  if (event.text(Field::Direction) != "Out") return;
  if (!in_vain(event)) return;
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  const auto port = event.text(Field::RemotePort);
  if (address.empty() || port.empty()) return;
  if (is_bot_port(port)) {
    look({"spreading", port, address, kSpreading, "IoT_NetworkSpreading", "Hosts", "Addresses"}, event, findings);
  } else {
    look({"hosts", port, address, kHosts, "IoT_NetworkScan", "Hosts", "Addresses"}, event, findings);
  }
  // Programs on one device try each other's ports while they start: that is no scan.
  if (!is_loopback(address)) {
    look({"ports", address, port, kPorts, "IoT_NetworkScan", "Ports", "Port List"}, event, findings);
  }
  keep_bound();
}

}  // namespace

std::unique_ptr<Detector> make_network_scan() { return std::make_unique<NetworkScan>(); }

}  // namespace picket::pipeline
