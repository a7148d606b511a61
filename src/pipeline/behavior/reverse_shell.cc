// A shell whose standard input and output are the network. Commands that make one are in content/rules.
#include <array>
#include <optional>

#include "behavior/behavior.h"
#include "behavior/process_rule.h"

namespace picket::pipeline {
namespace {

using message::Field;

/// Programs whose children have sockets for standard input and output as a matter of course.
constexpr std::array<std::string_view, 8> kSocketParents{"sshd",   "sshd-session", "sshd-auth", "dropbear",
                                                         "xinetd", "inetd",        "rshd",      "cockpit-bridge"};

bool is_address(std::string_view socket) { return !socket.starts_with("socket:"); }

std::string_view file_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

class ReverseShell final : public Detector {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    std::string peer;
    const std::string_view reason = by_descriptors(event, peer);
    if (reason.empty()) return;
    Finding finding = process_finding("IoT_ReverseShell", event, event.groups.group_of(event), reason);
    if (!peer.empty()) {
      const auto colon = peer.rfind(':');
      std::string address = peer.substr(0, colon);
      if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
      finding.properties.emplace_back("Remote Address", address);
      finding.properties.emplace_back("Remote Port", colon == std::string::npos ? "" : peer.substr(colon + 1));
      finding.entities.push_back({"ip", {{"Address", address}}});
    }
    findings.push_back(std::move(finding));
  }

 private:
  /// The reason, or nothing. A peer address says that it is the network. A bare socket number may be a local socket, as
  /// between a server and its helper: then it must be one and the same for both directions, or the shell interactive.
  static std::string_view by_descriptors(const DetectorEvent& event, std::string& peer) {
    const auto in = event.text(Field::StdinSocket);
    const auto out = event.text(Field::StdoutSocket);
    if (in.empty() || out.empty()) return {};
    const auto program = program_name(event);
    if (!is_interpreter(program)) return {};
    for (const auto parent : kSocketParents) {
      if (file_name(event.text(Field::ParentExecutable)) == parent) return {};
    }
    if (is_address(in) || is_address(out)) {
      peer = std::string(is_address(in) ? in : out);
      return "standard input and output are a network connection";
    }
    const bool interactive = event.text(Field::CommandLine).find(" -i") != std::string_view::npos;
    if (is_shell(program) && (in == out || interactive)) return "standard input and output are one socket";
    return {};
  }
};

}  // namespace

std::unique_ptr<Detector> make_reverse_shell() { return std::make_unique<ReverseShell>(); }

}  // namespace picket::pipeline
