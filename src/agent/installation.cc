#include "installation.h"

#include <algorithm>
#include <array>

#include <dirent.h>
#include <unistd.h>

#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/random.h"

namespace picket::agent {
namespace {

constexpr std::string_view kHomeFile = "/reported-to";
constexpr std::size_t kHomeBytesMax = 1'024;
constexpr std::string_view kSnapshotPrefix = "snapshot-";
constexpr std::size_t kSnapshotsMax = 64;

std::array<std::byte, 16> boot_bytes(std::string text) {
  std::erase(text, '-');
  std::array<std::byte, 16> out{};
  if (const auto bytes = from_hex(text); bytes && bytes->size() == out.size()) std::ranges::copy(*bytes, out.begin());
  return out;
}

}  // namespace

std::string read_boot_id() {
  const auto text = read_file("/proc/sys/kernel/random/boot_id", 64);
  return text && text->size() >= 36 ? text->substr(0, 36) : std::string(36, '0');
}

std::string installation_id(const std::string& data_dir) {
  const std::string path = data_dir + "/installation-id";
  if (const auto text = read_file(path, 64); text && text->size() >= 36) return text->substr(0, 36);
  const std::string id = random_uuid();
  (void)replace_file(path, as_bytes(id + "\n"));
  return id;
}

bool snapshots_belong_elsewhere(const std::string& data_dir, std::string_view home) {
  const auto known = read_file(data_dir + std::string(kHomeFile), kHomeBytesMax);
  return known && *known != home;
}

std::vector<std::string> snapshot_collectors(const std::string& data_dir) {
  std::vector<std::string> out;
  DIR* const dir = ::opendir(data_dir.c_str());
  if (dir == nullptr) return out;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(kSnapshotPrefix) && out.size() < kSnapshotsMax)
      out.emplace_back(name.substr(kSnapshotPrefix.size()));
  }
  ::closedir(dir);
  return out;
}

void begin_snapshots_at(const std::string& data_dir, std::string_view home, std::span<const std::string> collectors) {
  for (const std::string& each : collectors) ::unlink((data_dir + "/" + std::string(kSnapshotPrefix) + each).c_str());
  (void)replace_file(data_dir + std::string(kHomeFile), as_bytes(home));
}

Checked<OpenedSpool> open_spool(const Config& config, bool on_disk, const std::string& boot_id, Timestamp now) {
  SpoolOptions options{.directory = config.data_dir + "/spool",
                       .bytes_max = config.spool_bytes_max,
                       .memory_max = config.spool_memory_max,
                       .age_max = config.spool_age_max,
                       .boot_id = boot_bytes(boot_id)};
  std::string place = options.directory, problem;
  if (config.spool_in_memory || !on_disk) {
    options.directory.clear();
    place = "in memory, as configured";
  }
  auto spool = Spool::open(options, now);
  if (!spool && spool.error().code == Errc::exists) {
    return std::unexpected("another agent uses " + config.data_dir + "; stop it, or set data_dir");
  }
  if (!spool && spool.error().code == Errc::unsupported) {
    return std::unexpected(options.directory + " was written by a newer version of the agent (" +
                           describe(spool.error()) + "); install that version, or remove the directory");
  }
  if (!spool) {
    place = "in memory, since " + options.directory + " cannot be used: " + describe(spool.error());
    problem = "spool " + place + "; a restart loses what was not sent";
    options.directory.clear();
    spool = Spool::open(options, now);
    if (!spool) return std::unexpected("spool: " + describe(spool.error()));
  }
  return OpenedSpool{*std::move(spool), std::move(place), std::move(problem)};
}

}  // namespace picket::agent
