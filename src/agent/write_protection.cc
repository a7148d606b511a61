#include "write_protection.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/file.h"

#ifndef LANDLOCK_ACCESS_FS_REFER  // Linux 5.19
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE  // Linux 6.2
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

namespace picket::agent {
namespace {

constexpr std::uint64_t kWriting = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK;
constexpr std::uint64_t kNeverAllowed = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                        LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                        LANDLOCK_ACCESS_FS_MAKE_SYM;

/// Rights that this version of Landlock knows beyond the first.
std::uint64_t newer_rights(long version) {
  return (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) | (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

Result<> allow_below(int ruleset, const std::string& directory, std::uint64_t rights) {
  const UniqueFd parent(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid()) return fail_errno("agent.hardening.writable");
  const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = parent.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return fail_errno("agent.hardening.landlock");
  }
  return {};
}

/// Of the call that failed: what the kernel lacks or refuses is no fault of the device.
std::unexpected<Error> mount_error() {
  if (errno == EPERM || errno == EACCES) return fail(Errc::denied, "agent.hardening.mounts");
  if (errno == ENOSYS || errno == EINVAL) return fail(Errc::unsupported, "agent.hardening.mounts");
  return fail_errno("agent.hardening.mounts");
}

Result<> set_attributes(const char* path, unsigned flags, std::uint64_t set, std::uint64_t clear) {
  struct mount_attr attributes{.attr_set = set, .attr_clr = clear, .propagation = 0, .userns_fd = 0};
  if (::syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof attributes) != 0) return mount_error();
  return {};
}

}  // namespace

Result<> mount_read_only(std::span<const std::string> writable) {
  for (const std::string& directory : writable) {
    const UniqueFd there(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!there.valid()) return fail_errno("agent.hardening.writable");
  }
  // Asked before the namespace is made: a kernel that lacks it must not leave the process in one that is half done.
  if (::syscall(SYS_mount_setattr, -1, nullptr, 0, nullptr, 0) != 0 && errno == ENOSYS) {
    return fail(Errc::unsupported, "agent.hardening.mounts");
  }
  if (::unshare(CLONE_NEWNS) != 0) return mount_error();
  // A slave: mounts of others still come and go here, none of ours reaches them.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return mount_error();
  // Those that hold others first, each with what is mounted below it: else it would hide them.
  std::vector<std::string> ordered(writable.begin(), writable.end());
  std::ranges::sort(ordered, {}, &std::string::size);
  for (const std::string& directory : ordered) {
    if (::mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) return mount_error();
  }
  TRY_VOID(set_attributes("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0));
  for (const std::string& directory : ordered) TRY_VOID(set_attributes(directory.c_str(), 0, 0, MOUNT_ATTR_RDONLY));
  return {};
}

Result<> restrict_by_landlock(std::span<const std::string> writable) {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return fail(Errc::unsupported, "agent.hardening.landlock");
  const std::uint64_t writing = kWriting | newer_rights(version);
  const landlock_ruleset_attr attributes{.handled_access_fs = writing | kNeverAllowed};
  const UniqueFd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!ruleset.valid()) return fail_errno("agent.hardening.landlock");
  for (const std::string& directory : writable) TRY_VOID(allow_below(ruleset.get(), directory, writing));
  // Devices: a TPM, a terminal that a log goes to. They can be written, not made.
  TRY_VOID(allow_below(ruleset.get(), "/dev", LANDLOCK_ACCESS_FS_WRITE_FILE));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("agent.hardening.no_new_privs");
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return fail_errno("agent.hardening.landlock");
  return {};
}

}  // namespace picket::agent
