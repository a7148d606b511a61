// A shell whose standard input and output are the network; where that is not known, commands that make one.
#include <array>
#include <optional>

#include "behavior/behavior.h"
#include "behavior/process_rule.h"

namespace picket::pipeline {
namespace {

using message::Field;

#define SHELL_NAME R"((?:\S*/)?(?:ba|da|a|z|k|mk|c|tc)?sh\b)"

// Each is a whole way of doing it, not a word that occurs in it: reading /dev/tcp to see whether a port is open, or nc
// to test one, is everyday administration.
constexpr Pattern kPatterns[] = {
    {"interactive shell redirected to /dev/tcp", SHELL_NAME R"((?:\s+-[a-z]+)*\s+-i\b[^|;]*/dev/(?:tcp|udp)/)"},
    {"shell reads from or writes to /dev/tcp",
     SHELL_NAME R"((?:\s+-[a-bd-z]+)*\s*[0-9]*(?:[<>]|>&|&>|<>)+\s*/dev/(?:tcp|udp)/)"},
    {"commands read from a /dev/tcp descriptor",
     R"(exec\s+[0-9]+<>\s*/dev/(?:tcp|udp)/.*while\s+read\b.*\bdo\s+(?:["'(]*\$|eval\b|sh\s|bash\s))"},
    {"descriptor of /dev/tcp handed to a shell", R"([0-9]+<>\s*/dev/(?:tcp|udp)/.*\bsh\s+(?:-i\s+)?[0-9]*<&\s*[0-9])"},
    {"netcat runs a shell",
     R"((?:^|[\s/;|&(])(?:nc|ncat|netcat|nc\.[a-z]+)(?:\s.*)?(?:\s-[a-z]*[ec]\s*|\s--(?:exec|sh-exec)[\s=]+)["']?)" SHELL_NAME},
    {"shell behind a named pipe and a network tool",
     R"((?:mkfifo|mknod)\s.*[|;&]\s*)" SHELL_NAME
     R"(.*\|\s*(?:\S*/)?(?:busybox\s+)?(?:nc|ncat|netcat|telnet|openssl\s+s_client|socat)\b)"},
    {"network tool behind a named pipe and a shell",
     R"((?:mkfifo|mknod)\s.*(?:^|[\s;|&/])(?:nc|ncat|netcat|telnet|openssl\s+s_client|socat)\s.*\|\s*)" SHELL_NAME},
    {"telnet piped into a shell", R"(\btelnet\s+\S+\s+[0-9]+\s*\|\s*)" SHELL_NAME},
    {"socat runs a shell", R"(\bsocat\b.*\b(?:exec|system):["'\\]*)" SHELL_NAME},
    {"python connects a socket to a shell",
     R"(\bpython[0-9.]*\b.*import\s+.*\bsocket\b.*(?:/(?:ba|da|a|z|k)?sh\b|pty\.spawn|dup2\())"},
    {"python connects a socket to a shell",
     R"(\bpython[0-9.]*\b.*__import__\(.?["']socket.*(?:/(?:ba|da|a|z|k)?sh\b|pty\.spawn|dup2\())"},
    {"perl connects a socket to a shell",
     R"(\bperl\b.*(?:use\s+Socket|IO::Socket|-MSocket|-MIO\b).*(?:\bexec\b|\bsystem\b|STDIN))"},
    {"ruby connects a socket to a shell", R"(\bruby\b.*TCPSocket.*(?:\bexec\b|popen|spawn|\bsystem\b|\bsh\s+-i))"},
    {"php connects a socket to a shell",
     R"(\bphp[0-9.]*\b.*fsockopen\s*\(.*(?:\bexec\b|shell_exec|\bsystem\b|passthru|popen|proc_open|`))"},
    {"lua connects a socket to a shell", R"(\blua(?:jit)?[0-9.]*\b.*socket.*(?:os\.execute|io\.popen))"},
    {"awk talks to the network and to a shell", R"(\b[gm]?awk\b.*/inet[46]?/(?:tcp|udp)/.*\|\s*&?\s*getline)"},
    {"node connects a socket to a shell",
     R"(\bnode(?:js)?\s.*(?:child_process.*\bconnect\(|\bconnect\(.*child_process))"},
    {"zsh net/tcp module with a shell", R"(zsh/net/tcp.*\bztcp\b.*(?:<&|>&|while\s+read))"},
};

/// Programs whose children have sockets for standard input and output as a matter of course.
constexpr std::array<std::string_view, 8> kSocketParents{"sshd",   "sshd-session", "sshd-auth", "dropbear",
                                                         "xinetd", "inetd",        "rshd",      "cockpit-bridge"};

bool is_address(std::string_view socket) { return !socket.starts_with("socket:"); }

std::string_view file_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Compiled once a process: it takes far longer than making a detector.
const PatternSet& patterns() {
  static const PatternSet set{kPatterns};
  return set;
}

class ReverseShell final : public Detector {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    std::string peer;
    std::string_view reason = by_descriptors(event, peer);
    if (reason.empty()) reason = by_text(event);
    if (reason.empty()) return;
    Finding finding = process_finding("IoT_ReverseShell", event, groups_.group_of(event), reason);
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
  void forget(Timestamp now) override { groups_.forget(now); }
  StatePart* state() override { return &groups_; }
  std::uint64_t evicted() const override { return groups_.evicted(); }

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

  static std::string_view by_text(const DetectorEvent& event) {
    if (only_handles_text(event)) return {};
    const Pattern* pattern = patterns().find(event.text(Field::CommandLine));
    return pattern == nullptr ? std::string_view{} : pattern->name;
  }

  ProcessGroups groups_{"behavior.reverse_shell"};
};

#undef SHELL_NAME

}  // namespace

std::unique_ptr<Detector> make_reverse_shell() { return std::make_unique<ReverseShell>(); }

}  // namespace picket::pipeline
