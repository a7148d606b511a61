// A shell has no business on the network: connections that one makes by itself, through its /dev/tcp or a descriptor
// that it was given.
#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "behavior/process_rule.h"

namespace picket::pipeline {
namespace {

using message::Field;

class ShellConnection final : public Detector {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    if (event.text(Field::Direction) != "Out") return;
    const auto program = program_name(event);
    // busybox is every tool at once: there the name under which it was called decides.
    const auto line = event.text(Field::CommandLine);
    const auto called = program == "busybox" ? file_name_of(line.substr(0, line.find(' '))) : program;
    if (!is_shell(called) || called == "busybox") return;
    const std::string address = normal_address(event.text(Field::RemoteAddress));
    if (address.empty() || is_loopback(address)) return;
    Finding finding = process_finding("IoT_ReverseShell", event, state_key("connection", address),
                                      "a shell made a network connection by itself");
    finding.properties.emplace_back("Remote Address", address);
    finding.properties.emplace_back("Remote Port", std::string(event.text(Field::RemotePort)));
    finding.entities.push_back({"ip", {{"Address", address}}});
    findings.push_back(std::move(finding));
  }
};

}  // namespace

std::unique_ptr<Detector> make_shell_connection() { return std::make_unique<ShellConnection>(); }

}  // namespace picket::pipeline
