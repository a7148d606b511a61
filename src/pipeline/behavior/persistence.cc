// Changes in the places from which programs are started again: scheduled jobs, services, profiles, keys, preloaded
// libraries, modules, udev. What a package manager or an updater does there is its work, told by the ancestors of the
// process and not by its name alone.
#include <algorithm>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "process_tree.h"

namespace picket::pipeline {
namespace {

using message::Field;

struct Place {
  std::string_view prefix;  ///< Of the path; or, with an asterisk first, a part of it.
  std::string_view what;
  std::string_view technique;
};

constexpr Place kPlaces[] = {
    {"/etc/cron", "scheduled job", "T1053.003"},
    {"/var/spool/cron/", "scheduled job", "T1053.003"},
    {"/etc/anacrontab", "scheduled job", "T1053.003"},
    {"/etc/systemd/system/", "service", "T1543.002"},
    {"/lib/systemd/system/", "service", "T1543.002"},
    {"/usr/lib/systemd/system/", "service", "T1543.002"},
    {"/usr/local/lib/systemd/", "service", "T1543.002"},
    {"*/.config/systemd/user/", "service of a user", "T1543.002"},
    {"/etc/init.d/", "start script", "T1037.004"},
    {"/etc/rc", "start script", "T1037.004"},
    {"/etc/inittab", "start script", "T1037.004"},
    {"/etc/init/", "start script", "T1037.004"},
    {"/etc/profile", "profile of all shells", "T1546.004"},
    {"/etc/bash.bashrc", "profile of all shells", "T1546.004"},
    {"*/.bashrc", "profile of a user", "T1546.004"},
    {"*/.profile", "profile of a user", "T1546.004"},
    {"*/.bash_profile", "profile of a user", "T1546.004"},
    {"*/.zshrc", "profile of a user", "T1546.004"},
    {"*/.ssh/authorized_keys", "key that may log in", "T1098.004"},
    {"/etc/dropbear/authorized_keys", "key that may log in", "T1098.004"},
    {"/etc/ld.so.preload", "library loaded into every program", "T1574.006"},
    {"/etc/ld.so.conf", "path of libraries", "T1574.006"},
    {"/etc/modules", "kernel module", "T1547.006"},
    {"/etc/modprobe.d/", "kernel module", "T1547.006"},
    {"/lib/modules/", "kernel module", "T1547.006"},
    {"/usr/lib/modules/", "kernel module", "T1547.006"},
    {"/etc/udev/rules.d/", "rule of udev", "T1546.017"},
    {"/lib/udev/rules.d/", "rule of udev", "T1546.017"},
    {"/etc/pam.d/", "way of logging in", "T1556.003"},
    {"/etc/sudoers", "right to become root", "T1548.003"},
    {"*/.config/autostart/", "program of a session", "T1547.013"},
    {"/etc/xdg/autostart/", "program of a session", "T1547.013"},
};

/// Their children may write there.
constexpr std::string_view kManagers[] = {
    "dpkg",       "apt",           "apt-get",     "aptitude",    "unattended-upgrade",
    "rpm",        "dnf",           "dnf5",        "yum",         "zypper",
    "opkg",       "apk",           "pacman",      "rauc",        "swupdate",
    "mender",     "mender-update", "snapd",       "sysupgrade",  "ostree",
    "rpm-ostree", "puppet",        "chef-client", "salt-minion", "cloud-init",
    "needrestart"};
/// Read and write such places for whoever asks; they are told by who asks.
constexpr std::string_view kTemporary[] = {".dpkg-new", ".dpkg-tmp", ".swp", ".swx", "~", ".lock"};

const Place* place_of(std::string_view path) {
  for (const Place& place : kPlaces) {
    const bool inside = place.prefix.starts_with('*') ? path.find(place.prefix.substr(1)) != std::string_view::npos
                                                      : path.starts_with(place.prefix);
    if (inside) return &place;
  }
  return nullptr;
}

bool is_manager(std::string_view program) {
  program = file_name_of(program);
  return std::ranges::find(kManagers, program) != std::end(kManagers);
}

class Persistence final : public Detector {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    const auto mask = event.text(Field::Mask);
    if (mask != "Created" && mask != "Modified" && mask != "Moved") return;
    const auto path = event.text(Field::Path);
    const Place* place = place_of(path);
    if (place == nullptr) return;
    if (std::ranges::any_of(kTemporary, [&](std::string_view end) { return path.ends_with(end); })) return;
    const auto lineage = event.processes.lineage(event);
    if (std::ranges::any_of(lineage, is_manager)) return;
    const TimeSpan span = span_of(event);
    Finding finding{.alert_type = "IoT_Persistence", .group_key = std::string(path), .start = span.first};
    finding.end = span.last;
    finding.count = hits_of(event);
    finding.evidence.push_back(event.evidence());
    finding.properties = {{"Path", std::string(path)},
                          {"Kind", std::string(place->what)},
                          {"Technique", std::string(place->technique)},
                          {"Executable", std::string(event.text(Field::Executable))},
                          {"Started By", joined(lineage)},
                          {"User Name", std::string(event.text(Field::UserName))}};
    finding.entities = {{"file", {{"Name", std::string(file_name_of(path))}, {"Directory", std::string(path)}}}};
    findings.push_back(std::move(finding));
  }
};

}  // namespace

std::unique_ptr<Detector> make_persistence() { return std::make_unique<Persistence>(); }

}  // namespace picket::pipeline
