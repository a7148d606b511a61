// Process events as a busy Linux device has them: shells, package tools, services, a build, a cron job, administration.
// Made from templates with changing parts, so that no run repeats a line too soon; always the same for a seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace picket::sigma {

struct ProcessEvent {
  std::vector<std::pair<std::string, std::string>> texts;
  std::vector<std::pair<std::string, std::int64_t>> numbers;
};

inline std::vector<ProcessEvent> process_events(std::size_t count) {
  struct Template {
    std::string_view image, command, parent, parent_command, user, directory;
  };
  // '#' becomes a number, '@' a word.
  static constexpr Template kTemplates[] = {
      {"/usr/bin/dash", "/bin/sh -c command -v debian-sa1 > /dev/null && debian-sa1 1 #", "/usr/sbin/cron",
       "/usr/sbin/CRON -f", "root", "/root"},
      {"/usr/bin/grep", "grep -q @ /proc/#/status", "/usr/bin/bash", "/bin/bash /usr/lib/plc/watch.sh --interval 5",
       "root", "/"},
      {"/usr/bin/sed", "sed -e s/@/@/g -i /var/lib/plc/recipe-#.conf", "/usr/bin/bash",
       "bash /usr/lib/plc/update-recipe.sh #", "plc", "/var/lib/plc"},
      {"/usr/bin/cat", "cat /sys/class/thermal/thermal_zone0/temp", "/usr/bin/bash",
       "/bin/bash /usr/lib/plc/watch.sh --interval 5", "root", "/"},
      {"/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus",
       "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus -quiet -I /home/dev/project/include -imultiarch x86_64-linux-gnu "
       "-D_GNU_SOURCE -D NDEBUG /home/dev/project/src/@_#.cc -quiet -dumpbase @_#.cc -mtune=generic -march=x86-64 -O2 "
       "-Wall -Wextra -std=c++20 -o /tmp/cc#.s",
       "/usr/bin/g++-12", "/usr/bin/c++ -O2 -Wall -Wextra -std=c++20 -c /home/dev/project/src/@_#.cc", "dev",
       "/home/dev/project/build"},
      {"/usr/bin/as", "as --64 -o CMakeFiles/@.dir/src/@_#.cc.o /tmp/cc#.s", "/usr/bin/g++-12",
       "/usr/bin/c++ -O2 -c /home/dev/project/src/@_#.cc", "dev", "/home/dev/project/build"},
      {"/usr/bin/git", "git -c core.quotepath=false rev-parse --abbrev-ref HEAD", "/usr/bin/cmake",
       "cmake -G Ninja -S /home/dev/project -B build", "dev", "/home/dev/project"},
      {"/usr/bin/dpkg",
       "/usr/bin/dpkg --status-fd # --no-triggers --unpack --auto-deconfigure "
       "/var/cache/apt/archives/lib@#_1.#.0-1_amd64.deb",
       "/usr/bin/apt-get", "apt-get -y install lib@#", "root", "/"},
      {"/usr/bin/systemctl", "systemctl is-active --quiet @.service", "/usr/bin/python3.11",
       "/usr/bin/python3 /opt/supervise/check.py --unit @ --retries 3", "root", "/opt/supervise"},
      {"/usr/bin/python3.11", "/usr/bin/python3 -m @.collect --interval # --output /var/lib/@/state.json",
       "/usr/lib/systemd/systemd", "/lib/systemd/systemd --system --deserialize 21", "telemetry", "/var/lib/telemetry"},
      {"/usr/bin/curl", "curl -fsS -m 10 -o /dev/null https://gateway.example.net/health?node=#", "/usr/bin/bash",
       "bash /usr/local/bin/health.sh", "telemetry", "/"},
      {"/usr/sbin/logrotate", "/usr/sbin/logrotate /etc/logrotate.conf", "/usr/lib/systemd/systemd",
       "/lib/systemd/systemd --system --deserialize 21", "root", "/"},
      {"/usr/bin/gzip", "gzip -9 -c /var/log/plc/cycle-#.log", "/usr/sbin/logrotate",
       "/usr/sbin/logrotate /etc/logrotate.conf", "root", "/"},
      {"/usr/sbin/sshd", "sshd: operator [priv]", "/usr/sbin/sshd",
       "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "root", "/"},
      {"/usr/bin/bash", "-bash", "/usr/sbin/sshd", "sshd: operator@pts/#", "operator", "/home/operator"},
      {"/usr/bin/ls", "ls --color=auto -l /var/lib/plc/archive/2026-#", "/usr/bin/bash", "-bash", "operator",
       "/home/operator"},
      {"/usr/bin/vim.basic", "vim /etc/plc/line-#.toml", "/usr/bin/bash", "-bash", "operator", "/home/operator"},
      {"/usr/bin/sudo", "sudo systemctl restart plc-@", "/usr/bin/bash", "-bash", "operator", "/home/operator"},
      {"/bin/busybox", "busybox sh -c while read line; do echo $line >> /data/@-#.csv; done",
       "/usr/bin/containerd-shim-runc-v2",
       "/usr/bin/containerd-shim-runc-v2 -namespace moby -id # -address /run/containerd/containerd.sock", "root",
       "/app"},
      {"/usr/bin/rsync", "rsync -a --delete --exclude=*.tmp /var/lib/plc/ backup@192.0.2.#:/backup/plc/",
       "/usr/bin/dash", "/bin/sh -c /usr/local/bin/backup.sh", "backup", "/var/lib/plc"},
      {"/usr/bin/node", "node /opt/dashboard/server.js --port #", "/usr/lib/systemd/systemd",
       "/lib/systemd/systemd --system --deserialize 21", "www-data", "/opt/dashboard"},
      {"/usr/bin/find", "find /var/lib/plc/archive -name *.csv -mtime +# -delete", "/usr/bin/dash",
       "/bin/sh /etc/cron.daily/plc-archive", "root", "/"},
      {"/usr/bin/test", "test -x /etc/init.d/@", "/usr/bin/run-parts", "run-parts --report /etc/cron.hourly", "root",
       "/"},
      {"/usr/bin/tar", "tar czf /backup/@-#.tar.gz -C /var/lib/plc .", "/usr/bin/dash",
       "/bin/sh -c /usr/local/bin/backup.sh", "backup", "/var/lib/plc"},
  };
  static constexpr std::string_view kWords[] = {"recipe", "motor", "valve",   "line",   "batch",
                                                "reader", "cycle", "gateway", "sensor", "press"};
  std::mt19937 random(20'261'122);
  const auto fill = [&](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '#') {
        out += std::to_string(random() % 90'000);
      } else if (c == '@') {
        out += kWords[random() % std::size(kWords)];
      } else {
        out += c;
      }
    }
    return out;
  };
  std::vector<ProcessEvent> out;
  for (std::size_t i = 0; i < count; ++i) {
    const Template& from = kTemplates[random() % std::size(kTemplates)];
    ProcessEvent event;
    event.texts = {{"Image", std::string(from.image)},
                   {"CommandLine", fill(from.command)},
                   {"ParentImage", std::string(from.parent)},
                   {"ParentCommandLine", fill(from.parent_command)},
                   {"User", std::string(from.user)},
                   {"CurrentDirectory", std::string(from.directory)},
                   {"LogonId", std::to_string(random() % 500)},
                   // What the agent sends beside the fields of rules; keywords are looked for in these, too.
                   {"ProcessName", std::string(from.image.substr(from.image.rfind('/') + 1))},
                   {"Source", "ebpf"},
                   {"UserId", std::to_string(random() % 1'000)}};
    event.numbers = {{"ProcessId", static_cast<std::int64_t>(random() % 4'000'000)},
                     {"ParentProcessId", static_cast<std::int64_t>(random() % 4'000'000)}};
    out.push_back(std::move(event));
  }
  return out;
}

}  // namespace picket::sigma
