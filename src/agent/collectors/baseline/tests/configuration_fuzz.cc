// Claim: whatever stands in a file that the baseline reads, every shipped rule comes to a verdict, whose text is
// bounded. An input is the path of a file, a line end, and what stands in it; another path stands for one of those that
// are read.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

/// What procedures read whatever rules say.
constexpr std::string_view kFacts[] = {"/etc/passwd",
                                       "/etc/shadow",
                                       "/etc/group",
                                       "/etc/login.defs",
                                       "/etc/ssh/sshd_config",
                                       "/etc/ssh/sshd_config.d/x.conf",
                                       "/etc/fstab",
                                       "/proc/self/mounts",
                                       "/proc/1/mounts",
                                       "/proc/filesystems",
                                       "/proc/modules",
                                       "/proc/cmdline",
                                       "/proc/net/tcp",
                                       "/proc/net/tcp6",
                                       "/proc/net/udp",
                                       "/proc/net/udp6",
                                       "/proc/sys/kernel/osrelease",
                                       "/proc/sys/kernel/randomize_va_space",
                                       "/etc/sysctl.conf",
                                       "/etc/sysctl.d/x.conf",
                                       "/etc/ufw/ufw.conf",
                                       "/etc/ufw/sysctl.conf",
                                       "/etc/modprobe.d/x.conf",
                                       "/lib/modules/6.1/modules.dep",
                                       "/lib/modules/6.1/modules.builtin",
                                       "/etc/pam.d/common-auth",
                                       "/etc/pam.d/common-password",
                                       "/etc/pam.d/su",
                                       "/etc/audit/audit.rules",
                                       "/etc/audit/rules.d/x.rules",
                                       "/boot/grub/grub.cfg",
                                       "/boot/loader/entries/x.conf",
                                       "/boot/extlinux/extlinux.conf",
                                       "/boot/cmdline.txt",
                                       "/etc/environment",
                                       "/root/.profile",
                                       "/home/ann/.bashrc",
                                       "/etc/init.d/x",
                                       "/lib/systemd/system/x.service",
                                       "/var/lib/dpkg/status",
                                       "/var/lib/dpkg/status.d/x",
                                       "/lib/apk/db/installed",
                                       "/usr/lib/opkg/status",
                                       "/var/lib/rpm/rpmdb.sqlite"};

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
    std::set<std::string> files(std::begin(kFacts), std::end(kFacts));
    for (std::size_t i = 0; i < content_->size(); ++i) {
      const auto rule = content_->rule(i);
      if (!rule) std::abort();
      collect(rule->applies, files);
      collect(rule->check, files);
    }
    files_.assign(files.begin(), files.end());
    for (const std::string& file : files_) {
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
  void collect(picket::Bytes tree, std::set<std::string>& out) const {
    if (tree.empty()) return;
    const auto node = read_node(tree, content_->strings());
    if (!node) std::abort();
    for (const picket::Bytes child : node->children) collect(child, out);
    for (const std::string_view pattern : node->parameters.list("files")) {
      std::string file(pattern);
      std::ranges::replace(file, '*', 'x');
      out.insert(file);
    }
  }

  std::string path_, content_bytes_;
  picket::Result<Content> content_ = picket::fail(picket::Errc::not_found, "");
  picket::Result<Root> root_ = picket::fail(picket::Errc::not_found, "");
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
  BaselineRun run(image.root(), {image.content()},
                  {.level_max = 2, .profile = 3, .groups_disabled = {}, .checks_disabled = {}, .only = {}},
                  [](const Rule&, const Verdict& verdict) {
                    if (verdict.observed.size() > kObservedMax) std::abort();
                  });
  while (run.step()) {
  }
  image.restore(file);
  return run.broken_rules() == 0 ? 0 : (std::abort(), 0);
}
