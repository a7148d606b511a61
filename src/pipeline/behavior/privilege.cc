// Somebody becomes root who has not asked the programs that are there for it: a process of root whose parent was not
// root's, and files that turn into such a way.
#include <algorithm>
#include <charconv>
#include <span>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "behavior/package_work.h"
#include "behavior/process_rule.h"
#include "process_tree.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

/// Programs that become root by their setuid bit, or start others as root for whoever may.
constexpr std::string_view kWays[] = {"sudo",
                                      "su",
                                      "doas",
                                      "pkexec",
                                      "run0",
                                      "login",
                                      "sshd",
                                      "sshd-session",
                                      "dropbear",
                                      "passwd",
                                      "chsh",
                                      "chfn",
                                      "newgrp",
                                      "gpasswd",
                                      "mount",
                                      "umount",
                                      "mount.nfs",
                                      "fusermount",
                                      "fusermount3",
                                      "ping",
                                      "ping6",
                                      "traceroute6",
                                      "at",
                                      "crontab",
                                      "ssh-keysign",
                                      "unix_chkpwd",
                                      "newuidmap",
                                      "newgidmap",
                                      "bwrap",
                                      "chrome-sandbox",
                                      "polkit-agent-helper-1",
                                      "dbus-daemon-launch-helper",
                                      "Xorg.wrap",
                                      "ntfs-3g",
                                      "exim4",
                                      "sendmail",
                                      "procmail",
                                      "vmware-user-suid-wrapper",
                                      "snap-confine",
                                      "pt_chown",
                                      "expiry",
                                      "chage",
                                      "staprun",
                                      "userhelper",
                                      "mtr-packet",
                                      "udevil",
                                      "pppd",
                                      "busybox",
                                      "systemd",
                                      "systemd-executor",
                                      "dbus-daemon",
                                      "cron",
                                      "crond",
                                      "atd",
                                      "runc",
                                      "conmon",
                                      "containerd-shim",
                                      "containerd-shim-runc-v2",
                                      "dockerd"};

constexpr std::uint32_t kSetUserId = 04000;
constexpr std::string_view kPackageManagers[] = {"dpkg", "rpm", "opkg",   "apk",  "apt",      "apt-get",
                                                 "dnf",  "yum", "zypper", "rauc", "swupdate", "mender"};

/// Capabilities that are as good as root's.
constexpr std::string_view kStrongCapabilities[] = {"cap_setuid",
                                                    "cap_setgid",
                                                    "cap_sys_admin",
                                                    "cap_sys_ptrace",
                                                    "cap_sys_module",
                                                    "cap_dac_override",
                                                    "cap_dac_read_search",
                                                    "cap_fowner",
                                                    "cap_chown",
                                                    "cap_setfcap",
                                                    "all=",
                                                    "=ep",
                                                    "=eip"};

/// Whether chmod's mode lets a file run as its owner: 4755, u+s, a=xs, +s.
bool is_setuid_mode(std::string_view mode) {
  if (!mode.empty() && mode.find_first_not_of("01234567") == mode.npos) {
    std::uint32_t number = 0;
    std::from_chars(mode.data(), mode.data() + mode.size(), number, 8);
    return (number & kSetUserId) != 0;
  }
  while (!mode.empty()) {
    const auto comma = std::min(mode.find(','), mode.size());
    const std::string_view clause = mode.substr(0, comma);
    mode.remove_prefix(std::min(comma + 1, mode.size()));
    const auto sign = clause.find_first_of("+=");
    if (sign == clause.npos) continue;
    const std::string_view who = clause.substr(0, sign);
    const bool owner = who.empty() || who.find_first_of("ua") != who.npos;
    if (owner && who.find_first_not_of("ugoa") == who.npos && clause.find('s', sign) != clause.npos) return true;
  }
  return false;
}

/// Whether the command gives a file the rights of its owner, or capabilities.
bool makes_way(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < line.size() && words.size() < 16;) {
    const auto begin = line.find_first_not_of(' ', at);
    if (begin == line.npos) break;
    at = std::min(line.find(' ', begin), line.size());
    words.push_back(line.substr(begin, at - begin));
  }
  std::size_t first = 0;
  if (words.size() > 1 && file_name_of(words[0]) == "busybox") first = 1;
  if (words.size() < first + 3) return false;
  const auto program = file_name_of(words[first]);
  const std::span rest(words.begin() + static_cast<std::ptrdiff_t>(first + 1), words.end());
  if (program == "chmod") {
    const auto mode = std::ranges::find_if(rest, [](std::string_view word) {
      return !word.starts_with("--") && !word.starts_with("-R") && !word.starts_with("-v") && !word.starts_with("-f") &&
             !word.starts_with("-c");
    });
    return mode != rest.end() && is_setuid_mode(*mode);
  }
  if (program == "install") {
    for (std::size_t i = 0; i + 1 < rest.size(); ++i) {
      if (rest[i] == "-m" && is_setuid_mode(rest[i + 1])) return true;
      if (rest[i].starts_with("--mode=") && is_setuid_mode(rest[i].substr(7))) return true;
    }
    return false;
  }
  return program == "setcap" && std::ranges::any_of(rest, [](std::string_view word) {
           return std::ranges::any_of(kStrongCapabilities,
                                      [&](std::string_view one) { return word.find(one) != word.npos; });
         });
}

bool is_manager(std::string_view path) {
  return std::ranges::find(kPackageManagers, file_name_of(path)) != std::end(kPackageManagers);
}

bool is_way(std::string_view path) { return std::ranges::find(kWays, file_name_of(path)) != std::end(kWays); }

class Privilege final : public PackageAwareDetector {
 public:
  Privilege() : PackageAwareDetector("behavior.privilege") {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    if (event.event.kind == EventKind::FileSystem) {
      if (!is_package_work(event)) see_file(event, findings);
      return;
    }
    if (is_manager(event.text(Field::Executable))) manager_started(event);
    see_command(event, findings);
    see_process(event, findings);
  }

 private:
  static void see_process(const DetectorEvent& event, std::vector<Finding>& findings);
  static void see_command(const DetectorEvent& event, std::vector<Finding>& findings);
  static void see_file(const DetectorEvent& event, std::vector<Finding>& findings);
};

void Privilege::see_process(const DetectorEvent& event, std::vector<Finding>& findings) {
  if (event.text(Field::UserId) != "0" || is_way(event.text(Field::Executable))) return;
  const std::int64_t pid = event.integer(Field::ProcessId, 0);
  const std::int64_t parent_pid = event.integer(Field::ParentProcessId, 0);
  const KnownProcess* parent = event.processes.find(event.device, parent_pid, event.time);
  const KnownProcess* before = event.processes.find(event.device, pid, event.time);
  if (parent == nullptr || parent->user_id.empty() || parent->user_id == "0" || is_way(parent->executable)) return;
  // Between its own last exec and this one it may have been one of the ways.
  if (before != nullptr && (before->user_id == "0" || is_way(before->executable))) return;
  // Daemons give up root for good after their exec; their parents' record is still of root. The other way round is
  // what this is about: the parent's last exec was as somebody else.
  if (!event.text(Field::ContainerId).empty()) return;  // its root is another one
  Finding finding = process_finding("IoT_PrivilegeEscalation", event,
                                    state_key("process", event.text(Field::Executable), parent->user_id),
                                    "a process of root whose parent was not root's");
  finding.properties.emplace_back("ParentUserId", parent->user_id);
  findings.push_back(std::move(finding));
}

/// By the command that makes the file: not every folder is watched.
void Privilege::see_command(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto line = event.text(Field::CommandLine);
  if (!makes_way(line)) return;
  if (std::ranges::any_of(event.processes.ancestors(event), is_manager)) return;
  Finding finding = process_finding("IoT_PrivilegeEscalation", event, state_key("command", line),
                                    "a command gave a file the right to run as its owner, or capabilities");
  finding.techniques = {"T1548.001"};
  findings.push_back(std::move(finding));
}

void Privilege::see_file(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto details = event.details();
  const auto member = details ? details->find("Mode") : std::nullopt;
  const auto text = member ? member->text() : std::nullopt;
  if (!text) return;
  std::uint32_t mode = 0;
  std::from_chars(text->data(), text->data() + text->size(), mode, 8);
  if ((mode & kSetUserId) == 0) return;
  if (std::ranges::any_of(event.processes.lineage(event), is_manager)) return;
  const auto path = event.text(Field::Path);
  Finding finding{.alert_type = "IoT_PrivilegeEscalation", .group_key = state_key("file", path)};
  finding.start = event.time;
  finding.end = event.time;
  finding.techniques = {"T1548.001"};
  finding.evidence.push_back(event.evidence());
  finding.properties = {{"Reason", "a file got the right to run as its owner"},
                        {"Path", std::string(path)},
                        {"Mode", *text},
                        {"Executable", std::string(event.text(Field::Executable))},
                        {"User Name", std::string(event.text(Field::UserName))}};
  finding.entities = {{"file", {{"Name", std::string(file_name_of(path))}, {"Directory", std::string(path)}}}};
  findings.push_back(std::move(finding));
}

}  // namespace

std::unique_ptr<Detector> make_privilege() { return std::make_unique<Privilege>(); }

}  // namespace picket::pipeline
