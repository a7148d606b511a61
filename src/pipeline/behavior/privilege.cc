// Somebody becomes root who has not asked the programs that are there for it: a process of root whose parent was not
// root's, and files that turn into such a way.
#include <algorithm>
#include <charconv>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
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

bool is_way(std::string_view path) { return std::ranges::find(kWays, file_name_of(path)) != std::end(kWays); }

class Privilege final : public Detector {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    if (event.event.kind == EventKind::FileSystem) return see_file(event, findings);
    see_process(event, findings);
  }

 private:
  static void see_process(const DetectorEvent& event, std::vector<Finding>& findings);
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

void Privilege::see_file(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto details = event.details();
  const auto member = details ? details->find("Mode") : std::nullopt;
  const auto text = member ? member->text() : std::nullopt;
  if (!text) return;
  std::uint32_t mode = 0;
  std::from_chars(text->data(), text->data() + text->size(), mode, 8);
  if ((mode & kSetUserId) == 0) return;
  for (const std::string& program : event.processes.lineage(event)) {
    if (std::ranges::find(kPackageManagers, file_name_of(program)) != std::end(kPackageManagers)) return;
  }
  const auto path = event.text(Field::Path);
  Finding finding{.alert_type = "IoT_PrivilegeEscalation", .group_key = state_key("file", path)};
  finding.start = event.time;
  finding.end = event.time;
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
