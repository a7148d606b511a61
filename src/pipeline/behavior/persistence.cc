// Changes in the places from which programs are started again: scheduled jobs, services, profiles, keys, preloaded
// libraries, modules, udev. What a package manager or an updater does there is its work, told by the ancestors of the
// process and not by its name alone.
#include <algorithm>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "behavior/package_work.h"
#include "behavior/process_rule.h"
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
    {"/var/spool/at/", "scheduled job", "T1053.002"},
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
    {"*/.zprofile", "profile of a user", "T1546.004"},
    {"*/.bash_login", "profile of a user", "T1546.004"},
    {"*/.bash_logout", "profile of a user", "T1546.004"},
    {"*/.shrc", "profile of a user", "T1546.004"},
    {"*/.kshrc", "profile of a user", "T1546.004"},
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

/// A timer of systemd is a scheduled job, its service is not.
std::string_view technique_of(const Place& place, std::string_view path) {
  return path.ends_with(".timer") ? "T1053.006" : place.technique;
}

constexpr std::string_view kBreaks = ";&|()\n`";
constexpr std::string_view kWriters[] = {"tee", "sed",     "ed",    "dd",   "cp",  "mv",
                                         "ln",  "install", "rsync", "wget", "curl"};

bool is_end(std::string_view text, std::size_t at) {
  return at >= text.size() || text.find_first_of(" \t\n;&|)\"'`<>", at) == at;
}

/// Whether the path that begins at `at` and ends at `end` is what its command writes.
bool is_written(std::string_view text, std::size_t at, std::size_t end) {
  auto before = text.find_last_not_of(" \t\"'", at == 0 ? 0 : at - 1);
  if (at > 0 && before != text.npos && text[before] == '>') return true;
  // The simple command that the path is a word of.
  auto begin = text.find_last_of(kBreaks, at);
  begin = begin == text.npos ? 0 : begin + 1;
  begin = std::min(text.find_first_not_of(" \t\"'", begin), at);
  std::string_view command = text.substr(begin, std::min(text.find_first_of(kBreaks, end), text.size()) - begin);
  std::string_view program;
  for (int skipped = 0; skipped < 4; ++skipped) {  // sudo tee, busybox cp, sh -c cp
    program = file_name_of(command.substr(0, command.find(' ')));
    if (std::ranges::find(kWriters, program) != std::end(kWriters)) break;
    if (program != "sudo" && program != "busybox" && program != "-c" && !program.ends_with("sh")) return false;
    const auto next = command.find(' ');
    if (next == command.npos) return false;
    command.remove_prefix(std::min(command.find_first_not_of(" \t\"'", next), command.size()));
  }
  if (std::ranges::find(kWriters, program) == std::end(kWriters)) return false;
  if (program == "tee" || program == "ed") return true;
  const std::string_view word_before = text.substr(0, at).ends_with("of=") ? "of=" : "";
  if (program == "dd") return word_before == "of=";
  const auto has = [&](std::string_view option) { return command.find(option) != command.npos; };
  if (program == "sed") return has(" -i") || has(" --in-place") || has(" -ni") || has(" -ri") || has(" -Ei");
  if (program == "wget" || program == "curl") return has(" -O") || has(" -o");
  const auto rest = text.find_first_not_of(" \t\"'", end);  // the last word is where it goes
  return rest == text.npos || kBreaks.find(text[rest]) != kBreaks.npos || text[rest] == '>' || text[rest] == '2';
}

struct Written {
  const Place* place = nullptr;
  std::string path;
};

/// A place that the words of a command write to.
Written written_by(std::string_view text) {
  for (const Place& place : kPlaces) {
    const std::string_view wanted = place.prefix.starts_with('*') ? place.prefix.substr(1) : place.prefix;
    for (auto at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1)) {
      auto begin = at;
      if (place.prefix.starts_with('*')) {
        const auto space = text.find_last_of(" \t\n;&|(\"'`<>=", at);
        begin = space == text.npos ? 0 : space + 1;
      } else if (at > 0 && text.find_first_of(" \t\n;&|(\"'`<>=", at - 1) != at - 1) {
        continue;  // within another path
      }
      auto end = at + wanted.size();
      if (place.prefix.starts_with('*') && !wanted.ends_with('/') && !is_end(text, end)) continue;
      while (!is_end(text, end)) ++end;
      if (is_written(text, begin, end)) return {&place, std::string(text.substr(begin, end - begin))};
    }
  }
  return {};
}

/// Home folders as a shell would write them out, where that is known.
std::string with_home(std::string path, std::string_view user_id) {
  for (const std::string_view home : {"~/", "$HOME/", "${HOME}/"}) {
    if (path.starts_with(home) && user_id == "0") return "/root/" + path.substr(home.size());
  }
  return path;
}

class Persistence final : public PackageAwareDetector {
 public:
  Persistence() : PackageAwareDetector("behavior.persistence") {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    if (event.event.kind == message::EventKind::ProcessCreate) {
      if (is_manager(event.text(Field::Executable))) manager_started(event);
      return see_process(event, findings);
    }
    const auto mask = event.text(Field::Mask);
    if (mask != "Created" && mask != "Modified" && mask != "Moved") return;
    const auto path = event.text(Field::Path);
    const Place* place = place_of(path);
    if (place == nullptr || is_package_work(event)) return;
    tell(*place, std::string(path), event, event.processes.lineage(event), findings);
  }

 private:
  /// The text of a command is looked at too: not every file system tells of its files.
  static void see_process(const DetectorEvent& event, std::vector<Finding>& findings) {
    const auto line = event.text(Field::CommandLine);
    const auto program = program_name(event);
    const bool writes =
        std::ranges::find(kWriters, program) != std::end(kWriters) || is_shell(program) || program == "sudo";
    if (program == "crontab") {
      static constexpr Place kTable{"", "scheduled job", "T1053.003"};
      if (line.find(" -l") != line.npos || line.find(" -r") != line.npos) return;  // shows or removes
      tell(kTable, "crontab of " + std::string(event.text(Field::UserName)), event, event.processes.ancestors(event),
           findings);
      return;
    }
    if (!writes) return;
    // A script that is run by its name is no text; what it does is seen when it does it.
    if (is_shell(program) && line.find(" -") == line.npos && program != "busybox") return;
    Written found = written_by(line);
    if (found.place == nullptr) return;
    tell(*found.place, with_home(std::move(found.path), event.text(Field::UserId)), event,
         event.processes.ancestors(event), findings);
  }

  static void tell(const Place& place, std::string path, const DetectorEvent& event,
                   const std::vector<std::string>& lineage, std::vector<Finding>& findings) {
    if (std::ranges::any_of(kTemporary, [&](std::string_view end) { return path.ends_with(end); })) return;
    if (std::ranges::any_of(lineage, is_manager)) return;
    const TimeSpan span = span_of(event);
    const std::string_view technique = technique_of(place, path);
    Finding finding{.alert_type = "IoT_Persistence", .group_key = path, .start = span.first};
    finding.end = span.last;
    finding.count = hits_of(event);
    finding.techniques = {technique};
    finding.evidence.push_back(event.evidence());
    finding.properties = {{"Path", path},
                          {"Kind", std::string(place.what)},
                          {"Technique", std::string(technique)},
                          {"Executable", std::string(event.text(Field::Executable))},
                          {"Started By", joined(lineage)},
                          {"User Name", std::string(event.text(Field::UserName))}};
    if (const auto line = event.text(Field::CommandLine); !line.empty()) {
      finding.properties.emplace_back("CommandLine", std::string(line));
    }
    finding.entities = {{"file", {{"Name", std::string(file_name_of(path))}, {"Directory", path}}}};
    findings.push_back(std::move(finding));
  }
};

}  // namespace

std::unique_ptr<Detector> make_persistence() { return std::make_unique<Persistence>(); }

}  // namespace picket::pipeline
