// Claim: whatever stands in a file that the baseline reads, every shipped rule that looks at it comes to a verdict,
// whose text is bounded. An input is the path of a file, a line end, and what stands in it; another path stands for one
// of those that are read.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/hash.h"
#include "baseline/run.h"

namespace {

using namespace picket::agent::baseline;

/// What procedures read whatever rules say, and which.
struct Fact {
  std::string_view file, procedure;
};
constexpr Fact kFacts[] = {{"/etc/passwd", "accounts"},
                           {"/etc/shadow", "accounts"},
                           {"/etc/group", "accounts"},
                           {"/etc/group", "file"},
                           {"/etc/login.defs", "accounts"},
                           {"/home/ann/.bashrc", "accounts"},
                           {"/etc/ssh/sshd_config", "sshd"},
                           {"/etc/ssh/sshd_config.d/x.conf", "sshd"},
                           {"/etc/fstab", "mount"},
                           {"/proc/self/mounts", "mount"},
                           {"/proc/1/mounts", "mount"},
                           {"/proc/filesystems", "mount"},
                           {"/etc/modprobe.d/x.conf", "kernel_module"},
                           {"/proc/modules", "kernel_module"},
                           {"/lib/modules/6.1/modules.dep", "kernel_module"},
                           {"/lib/modules/6.1/modules.builtin", "kernel_module"},
                           {"/proc/cmdline", "kernel_argument"},
                           {"/boot/grub/grub.cfg", "kernel_argument"},
                           {"/boot/loader/entries/x.conf", "kernel_argument"},
                           {"/boot/extlinux/extlinux.conf", "kernel_argument"},
                           {"/boot/cmdline.txt", "kernel_argument"},
                           {"/proc/net/tcp", "listening"},
                           {"/proc/net/tcp6", "listening"},
                           {"/proc/net/udp", "listening"},
                           {"/proc/net/udp6", "listening"},
                           {"/proc/sys/kernel/osrelease", "sysctl"},
                           {"/proc/sys/kernel/randomize_va_space", "sysctl"},
                           {"/etc/sysctl.conf", "sysctl"},
                           {"/etc/sysctl.d/x.conf", "sysctl"},
                           {"/etc/ufw/ufw.conf", "sysctl"},
                           {"/etc/ufw/sysctl.conf", "sysctl"},
                           {"/etc/pam.d/common-auth", "pam"},
                           {"/etc/pam.d/common-password", "pam"},
                           {"/etc/pam.d/su", "pam"},
                           {"/etc/audit/audit.rules", "audit_rule"},
                           {"/etc/audit/rules.d/x.rules", "audit_rule"},
                           {"/etc/environment", "root_path"},
                           {"/etc/login.defs", "root_path"},
                           {"/root/.profile", "root_path"},
                           {"/etc/init.d/x", "service"},
                           {"/lib/systemd/system/x.service", "service"},
                           {"/var/lib/dpkg/status", "package"},
                           {"/var/lib/dpkg/status.d/x", "package"},
                           {"/lib/apk/db/installed", "package"},
                           {"/usr/lib/opkg/status", "package"},
                           {"/var/lib/rpm/rpmdb.sqlite", "package"}};

/// So that rules apply: what they are about is there, and in order.
constexpr std::pair<std::string_view, std::string_view> kInOrder[] = {
    {"/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n"},
    {"/etc/group", "root:x:0:\nann:x:1000:\n"},
    {"/etc/shadow", "root:$6$abcdefgh$ijklmnop:19000:1:90:7:30::\n"},
    {"/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\n"},
    {"/etc/sudoers", "Defaults use_pty\n"},
    {"/etc/audit/auditd.conf", "max_log_file = 8\n"},
    {"/etc/pam.d/common-auth", "auth required pam_faillock.so deny=5\nauth required pam_unix.so\n"},
    {"/etc/pam.d/common-password", "password required pam_pwquality.so retry=3\n"},
    {"/boot/grub/grub.cfg", "linux /vmlinuz ro audit=1\n"},
    {"/etc/selinux/config", "SELINUX=enforcing\n"},
    {"/home/ann/.bashrc", "umask 077\n"},
    {"/lib/systemd/systemd-coredump", ""},
    {"/var/lib/dpkg/status",
     "Package: cron\nStatus: install ok installed\nVersion: 1\n\nPackage: chrony\nStatus: install ok "
     "installed\nVersion: "
     "1\n\nPackage: rsyslog\nStatus: install ok installed\nVersion: 1\n\nPackage: aide\nStatus: install ok "
     "installed\nVersion: 1\n\nPackage: ntpsec\nStatus: install ok installed\nVersion: 1\n"}};

class Image {
 public:
  Image() {
    std::string name = std::filesystem::temp_directory_path() / "picket-baseline-fuzz-XXXXXX";
    path_ = mkdtemp(name.data());
    content_bytes_ = picket::read_file(PICKET_BASELINE_CONTENT, Content::kBytesMax).value_or("");
    content_ = Content::read(picket::as_bytes(content_bytes_));
    root_ = Root::open(path_);
    if (!content_ || !root_) std::abort();
    for (std::size_t i = 0; i < content_->size(); ++i) {
      const auto rule = content_->rule(i);
      if (!rule) std::abort();
      collect(rule->applies, i);
      collect(rule->check, i);
    }
    for (const auto& [file, rules] : rules_) {
      files_.push_back(file);
      std::filesystem::create_directories(std::filesystem::path(path_ + file).parent_path());
    }
    for (const auto& [file, text] : kInOrder) write(file, text);
  }
  ~Image() { std::filesystem::remove_all(path_); }

  const Root& root() const { return *root_; }
  const Content& content() const { return *content_; }
  std::string file_of(std::string_view path) const {
    const auto found = std::ranges::find(files_, path);
    return found != files_.end() ? *found : files_[picket::fnv1a64(picket::as_bytes(path)) % files_.size()];
  }
  /// Rules that look at a file.
  const std::set<std::size_t>& rules_of(const std::string& file) const { return rules_.at(file); }
  void write(std::string_view file, std::string_view text) const {
    const std::string full = path_ + std::string(file);
    std::filesystem::create_directories(std::filesystem::path(full).parent_path());
    std::ofstream(full, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  /// As it was before something was written into it.
  void restore(const std::string& file) const {
    std::error_code ignored;
    std::filesystem::remove(path_ + file, ignored);
    for (const auto& [each, text] : kInOrder) {
      if (each == file) write(each, text);
    }
  }

 private:
  void collect(picket::Bytes tree, std::size_t rule) {
    if (tree.empty()) return;
    const auto node = read_node(tree, content_->strings());
    if (!node) std::abort();
    for (const picket::Bytes child : node->children) collect(child, rule);
    for (const std::string_view pattern : node->parameters.list("files")) {
      std::string file(pattern);
      std::ranges::replace(file, '*', 'x');
      rules_[file].insert(rule);
    }
    for (const Fact& fact : kFacts) {
      if (fact.procedure == node->procedure) rules_[std::string(fact.file)].insert(rule);
    }
  }

  std::string path_, content_bytes_;
  picket::Result<Content> content_ = picket::fail(picket::Errc::not_found, "");
  picket::Result<Root> root_ = picket::fail(picket::Errc::not_found, "");
  std::map<std::string, std::set<std::size_t>> rules_;  ///< By file.
  std::vector<std::string> files_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Image image;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = input.find('\n');
  if (end == std::string_view::npos) return 0;
  const std::string file = image.file_of(input.substr(0, end));
  image.write(file, input.substr(end + 1));
  Facts facts(image.root());
  while (facts.step_packages()) {
  }
  for (const std::size_t index : image.rules_of(file)) {
    const auto rule = image.content().rule(index);
    if (!rule) std::abort();
    if (check_rule(*rule, image.content().strings(), facts).observed.size() > kObservedMax) std::abort();
    facts.forget_texts();
  }
  image.restore(file);
  return 0;
}
