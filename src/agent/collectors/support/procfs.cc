#include "support/procfs.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/core/file.h"
#include "support/argv_hash.h"
#include "support/container_id.h"

namespace picket::agent {
namespace {

constexpr std::size_t kFilePathMax = 256;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string_view next_field(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  const auto field = rest.substr(0, rest.find_first_of(" \t\n"));
  rest.remove_prefix(field.size());
  return field;
}

StdioFact::Kind kind_of(const struct stat& status) {
  switch (status.st_mode & S_IFMT) {
    case S_IFSOCK:
      return StdioFact::Kind::socket;
    case S_IFIFO:
      return StdioFact::Kind::pipe;
    case S_IFREG:
      return StdioFact::Kind::file;
    case S_IFCHR: {
      const unsigned major = gnu_dev_major(status.st_rdev);
      const bool terminal = major == 4 || major == 5 || (major >= 136 && major <= 143);
      return terminal ? StdioFact::Kind::tty : StdioFact::Kind::other;
    }
    default:
      return StdioFact::Kind::other;
  }
}

Duration start_of(const ProcStat& stat) {
  static const long ticks = sysconf(_SC_CLK_TCK);
  return Duration::microseconds(
      static_cast<std::int64_t>(stat.start_ticks * 1'000'000 / static_cast<std::uint64_t>(ticks)));
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');  // the last one: a comm may hold parentheses
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcStat stat{.comm = text.substr(open + 1, close - open - 1)};
  auto rest = text.substr(close + 1);
  if (next_field(rest).size() != 1) return std::nullopt;  // state
  const auto ppid = number(next_field(rest));
  for (int i = 0; i < 2; ++i) next_field(rest);  // pgrp, session
  const auto terminal = number(next_field(rest));
  for (int i = 0; i < 14; ++i) next_field(rest);  // tpgid .. itrealvalue
  const auto start = number(next_field(rest));
  if (!ppid || !start) return std::nullopt;
  stat.ppid = static_cast<std::uint32_t>(*ppid);
  stat.terminal = static_cast<std::uint32_t>(terminal.value_or(0));
  stat.start_ticks = *start;
  return stat;
}

std::string_view terminal_name(std::uint32_t terminal, std::span<char, kTerminalBytesMax> out) {
  const unsigned major = terminal >> 8 & 0xfff;
  const unsigned minor = (terminal & 0xff) | (terminal >> 12 & 0xfff00);
  struct Family {
    unsigned major, first;
    const char* name;
  };
  static constexpr Family kFamilies[] = {
      {204, 64, "ttyAMA"}, {188, 0, "ttyUSB"}, {166, 0, "ttyACM"}, {4, 64, "ttyS"}, {4, 0, "tty"}};
  if (terminal == 0) return {};
  int n = 0;
  if (major >= 136 && major <= 143) {
    n = std::snprintf(out.data(), out.size(), "pts/%u", minor + (major - 136) * 256);
  } else if (major == 5 && minor == 1) {
    n = std::snprintf(out.data(), out.size(), "console");
  } else if (const auto family = std::ranges::find_if(
                 kFamilies, [&](const Family& each) { return each.major == major && minor >= each.first; });
             family != std::end(kFamilies)) {
    n = std::snprintf(out.data(), out.size(), "%s%u", family->name, minor - family->first);
  } else {
    n = std::snprintf(out.data(), out.size(), "%u:%u", major, minor);
  }
  return {out.data(), static_cast<std::size_t>(n)};
}

std::string_view terminal_name(std::string_view kernel_name, std::span<char, kTerminalBytesMax> out) {
  static constexpr std::string_view kKernel = "pts", kDevice = "pts/";
  std::size_t at = 0;
  if (kernel_name.starts_with(kKernel) && kernel_name.size() > kKernel.size()) {
    kernel_name.remove_prefix(kKernel.size());
    at = kDevice.copy(out.data(), kDevice.size());
  }
  at += kernel_name.copy(out.data() + at, out.size() - at);
  return {out.data(), at};
}

std::optional<ProcIds> parse_proc_status(std::string_view text) {
  const auto line = [&](std::string_view key) -> std::string_view {
    const auto at = text.find(key);
    return at == std::string_view::npos ? std::string_view{} : text.substr(at + key.size());
  };
  auto uids = line("\nUid:");
  auto gids = line("\nGid:");
  const auto uid = number(next_field(uids));
  const auto euid = number(next_field(uids));
  const auto gid = number(next_field(gids));
  if (!uid || !euid || !gid) return std::nullopt;
  return ProcIds{static_cast<std::uint32_t>(*uid), static_cast<std::uint32_t>(*euid), static_cast<std::uint32_t>(*gid)};
}

std::size_t ProcessFacts::read_text(std::uint32_t pid, const char* name, std::span<char> out) const {
  char path[kFilePathMax];
  std::snprintf(path, sizeof(path), "%s/%u/%s", procfs_.c_str(), pid, name);
  const UniqueFd fd{open(path, O_RDONLY | O_CLOEXEC)};
  if (!fd.valid()) return 0;
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t n = ::read(fd.get(), out.data() + size, out.size() - size);
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  return size;
}

std::size_t ProcessFacts::read_link(std::uint32_t pid, const char* name, std::span<char> out) const {
  char path[kFilePathMax];
  std::snprintf(path, sizeof(path), "%s/%u/%s", procfs_.c_str(), pid, name);
  const ssize_t n = readlink(path, out.data(), out.size());
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

void ProcessFacts::read_argv(std::uint32_t pid) {
  argv_bytes_ = 0;
  argv_total_ = 0;
  ArgvHash hash;
  char path[kFilePathMax];
  std::snprintf(path, sizeof(path), "%s/%u/cmdline", procfs_.c_str(), pid);
  const UniqueFd fd{open(path, O_RDONLY | O_CLOEXEC)};
  // What is longer than we keep is still counted and hashed.
  std::array<char, 4096> past;
  while (fd.valid()) {
    const auto room = std::span(argv_).subspan(argv_bytes_);
    const std::span<char> into = room.empty() ? std::span<char>(past) : room;
    const ssize_t n = ::read(fd.get(), into.data(), into.size());
    if (n <= 0) break;
    const auto bytes = static_cast<std::size_t>(n);
    hash.add({into.data(), bytes});
    argv_total_ += bytes;
    if (!room.empty()) argv_bytes_ += bytes;
  }
  argv_hash_ = hash.value();
}

void ProcessFacts::read_stdio(std::uint32_t pid) {
  for (unsigned fd = 0; fd < stdio_.size(); ++fd) {
    char path[kFilePathMax];
    std::snprintf(path, sizeof(path), "%s/%u/fd/%u", procfs_.c_str(), pid, fd);
    struct stat status{};
    stdio_[fd] = {};
    if (stat(path, &status) != 0) {
      stdio_[fd].kind = errno == ENOENT ? StdioFact::Kind::none : StdioFact::Kind::unknown;
      continue;
    }
    stdio_[fd].kind = kind_of(status);
    stdio_[fd].inode = status.st_ino;
  }
}

void ProcessFacts::read_deletion(std::uint32_t pid) {
  static constexpr std::string_view kDeleted = " (deleted)", kMemfd = "/memfd:";
  deleted_ = memfd_ = false;
  if (!executable().ends_with(kDeleted)) return;
  // A file may be named so: then its path leads to it.
  char path[kFilePathMax];
  struct stat running{}, named{};
  std::snprintf(path, sizeof(path), "%s/%u/exe", procfs_.c_str(), pid);
  const std::string text(executable());
  deleted_ = stat(path, &running) != 0 || stat(text.c_str(), &named) != 0 || running.st_ino != named.st_ino ||
             running.st_dev != named.st_dev;
  memfd_ = deleted_ && executable().starts_with(kMemfd);
}

std::size_t ProcessFacts::read_name(std::uint32_t pid, std::span<char> out) const {
  std::size_t bytes = read_link(pid, "exe", out);
  if (bytes > 0) return bytes;
  bytes = read_text(pid, "comm", out);
  return bytes > 0 ? bytes - 1 : 0;  // newline
}

void ProcessFacts::read_place(std::uint32_t pid, std::uint32_t terminal) {
  container_ = container_of_cgroup_file({cgroup_.data(), read_text(pid, "cgroup", cgroup_)});
  terminal_bytes_ = terminal_name(terminal, terminal_).size();
  std::array<char, 16> text;
  const auto session = number({text.data(), read_text(pid, "sessionid", text)});
  session_ = session && *session < 0xffffffff ? static_cast<std::uint32_t>(*session) : 0;
}

bool ProcessFacts::read_program(std::uint32_t pid) {
  executable_bytes_ = read_link(pid, "exe", executable_);
  read_argv(pid);
  return executable_bytes_ > 0 || argv_bytes_ > 0;
}

void ProcessFacts::read_parents() {
  parent_bytes_ = grandparent_bytes_ = 0;
  if (ppid_ == 0) return;
  parent_bytes_ = read_name(ppid_, parent_);
  std::array<char, 2048> text;
  const auto parent = parse_proc_stat({text.data(), read_text(ppid_, "stat", text)});
  if (parent && parent->ppid != 0) grandparent_bytes_ = read_name(parent->ppid, grandparent_);
}

bool ProcessFacts::read_around(std::uint32_t pid, std::uint32_t ppid) {
  // A program that ends at once loses these first; its parent mostly lives.
  read_stdio(pid);
  std::array<char, 2048> text;
  const auto stat = parse_proc_stat({text.data(), read_text(pid, "stat", text)});
  if (!stat) stdio_ = {};  // gone: then it had none of them open
  read_place(pid, 0);
  start_ = stat ? start_of(*stat) : Duration{};
  executable_bytes_ = stat ? read_link(pid, "exe", executable_) : 0;
  read_deletion(pid);
  ppid_ = ppid;
  read_parents();
  return stat.has_value();
}

void ProcessFacts::fill_around(ProcessRecord& record) const {
  record.start = start_;
  record.parent_executable = {parent_.data(), parent_bytes_};
  record.grandparent_executable = {grandparent_.data(), grandparent_bytes_};
  record.container = container_;
  record.executable_deleted = deleted_;
  record.executable_memfd = memfd_;
  record.stdio = stdio_;
}

bool ProcessFacts::read(std::uint32_t pid) {
  // What short-lived processes lose first is read first.
  read_argv(pid);
  executable_bytes_ = read_link(pid, "exe", executable_);
  ids_.reset();
  ppid_ = 0;
  start_ = {};
  cwd_bytes_ = parent_bytes_ = grandparent_bytes_ = 0;
  std::array<char, 2048> text;
  const auto stat = parse_proc_stat({text.data(), read_text(pid, "stat", text)});
  if (stat) {
    ppid_ = stat->ppid;
    start_ = start_of(*stat);
  }
  ids_ = parse_proc_status({text.data(), read_text(pid, "status", text)});
  read_stdio(pid);
  if (!stat) stdio_ = {};
  cwd_bytes_ = read_link(pid, "cwd", cwd_);
  read_place(pid, stat ? stat->terminal : 0);
  read_deletion(pid);
  read_parents();
  return stat.has_value() || executable_bytes_ > 0 || argv_bytes_ > 0;
}

void ProcessFacts::fill(ProcessRecord& record) const {
  fill_around(record);
  record.ppid = ppid_;
  record.credentials_known = ids_.has_value();
  if (ids_) {
    record.uid = ids_->uid;
    record.euid = ids_->euid;
    record.gid = ids_->gid;
  }
  record.executable = executable();
  record.cwd = {cwd_.data(), cwd_bytes_};
  record.terminal = {terminal_.data(), terminal_bytes_};
  record.session = session_;
  record.argv = argv();
  record.argv_bytes = argv_total_;
  record.argv_truncated = argv_total_ > argv_bytes_;
  record.argv_lost = argv_bytes_ == 0;
  record.argv_hash = argv_hash_;
}

bool process_exists(const std::string& procfs, std::uint32_t pid) {
  return pid != 0 && access((procfs + "/" + std::to_string(pid)).c_str(), F_OK) == 0;
}

std::size_t list_processes(const std::string& procfs, std::span<std::uint32_t> pids) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{opendir(procfs.c_str()), closedir};
  std::size_t count = 0;
  if (!folder) return 0;
  while (const dirent* entry = readdir(folder.get())) {
    const auto pid = number(entry->d_name);
    if (!pid) continue;
    if (count < pids.size()) pids[count] = static_cast<std::uint32_t>(*pid);
    ++count;
  }
  return count;
}

}  // namespace picket::agent
