// Claim: whatever stands in a configuration file, every shipped rule comes to a verdict, whose text is bounded.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "baseline/run.h"

namespace {

using namespace picket::agent::baseline;

constexpr std::string_view kFiles[] = {"etc/passwd",
                                       "etc/shadow",
                                       "etc/group",
                                       "etc/login.defs",
                                       "etc/ssh/sshd_config",
                                       "etc/fstab",
                                       "proc/self/mounts",
                                       "etc/sysctl.conf",
                                       "etc/modprobe.d/x.conf",
                                       "proc/modules",
                                       "etc/sudoers",
                                       "etc/pam.d/common-auth",
                                       "etc/audit/audit.rules",
                                       "etc/audit/auditd.conf",
                                       "etc/crontab",
                                       "proc/net/tcp",
                                       "proc/net/tcp6",
                                       "proc/cmdline",
                                       "boot/grub/grub.cfg",
                                       "etc/rsyslog.conf",
                                       "etc/systemd/journald.conf",
                                       "var/lib/dpkg/status",
                                       "lib/apk/db/installed",
                                       "etc/inetd.conf",
                                       "etc/nftables.conf",
                                       "etc/ntp.conf",
                                       "etc/securetty",
                                       "etc/profile",
                                       "proc/filesystems",
                                       "etc/apt/sources.list"};

struct Image {
  Image() {
    std::string name = std::filesystem::temp_directory_path() / "picket-baseline-fuzz-XXXXXX";
    path = mkdtemp(name.data());
    for (const std::string_view file : kFiles) {
      std::filesystem::create_directories(std::filesystem::path(path + "/" + std::string(file)).parent_path());
    }
    content = picket::read_file(PICKET_BASELINE_CONTENT, Content::kBytesMax).value_or("");
  }
  ~Image() { std::filesystem::remove_all(path); }
  std::string path, content;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Image image;
  static const auto root = Root::open(image.path);
  static const auto content = Content::read(picket::as_bytes(image.content));
  if (!root || !content) std::abort();
  if (size < 1) return 0;
  const std::string file = image.path + "/" + std::string(kFiles[data[0] % std::size(kFiles)]);
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data + 1), static_cast<std::streamsize>(size - 1));
  BaselineRun run(*root, {*content},
                  {.level_max = 2, .profile = 3, .groups_disabled = {}, .checks_disabled = {}, .only = {}},
                  [](const Rule&, const Verdict& verdict) {
                    if (verdict.observed.size() > kObservedMax) std::abort();
                  });
  while (run.step()) {
  }
  std::filesystem::remove(file);
  return run.broken_rules() == 0 ? 0 : (std::abort(), 0);
}
