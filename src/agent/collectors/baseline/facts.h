// What several checks ask for, read once a run: texts of files, packages, mounts, units, modules, kernel settings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "baseline/name_set.h"
#include "baseline/root.h"
#include "baseline/walk.h"
#include "firewall/nft_dump.h"

namespace picket::agent::baseline {

/// A text of a file, cached; valid until Facts::forget_texts().
struct Text {
  Found found = Found::missing;
  std::string_view text;
};

struct Mount {
  std::string device, path, type, options;
};

/// How a unit of the service manager stands.
enum class UnitState : std::uint8_t { absent, disabled, masked, enabled };

/// What system calls the programs of the root use.
enum class Machine : std::uint8_t { bits32, x86_64, bits64 };

/// Everything is read when it is first asked for. One run, one thread.
class Facts {
 public:
  static constexpr std::size_t kTextMax = 512 << 10;     ///< Of one file.
  static constexpr std::size_t kTextsMax = 1 << 20;      ///< Kept between rules.
  static constexpr std::size_t kRuleTextsMax = 4 << 20;  ///< Of all files that one rule looks at.
  static constexpr std::size_t kTextCountMax = 64;       ///< Kept between rules.
  static constexpr std::size_t kMountsMax = 512;
  static constexpr std::size_t kPackageBytesMax = 64 << 20;  ///< Of one text database of packages.

  explicit Facts(const Root& root);
  ~Facts();
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;

  [[nodiscard]] const Root& root() const { return root_; }
  Text text(std::string_view path);
  /// Between two rules: makes room. Texts may hold hashes of passwords, so they are wiped.
  void forget_texts(bool all = false);

  /// Reads a little of the package databases. False: all are read.
  bool step_packages();
  /// One that names a package: an empty one is what is left of a package manager.
  [[nodiscard]] bool has_package_database() const { return !packages_.empty(); }
  [[nodiscard]] const NameSet& packages() const { return packages_; }
  /// Path of a database that could not be read to its end, so that packages may be missing here; empty: none.
  [[nodiscard]] const std::string& unread_packages() const { return unread_packages_; }

  /// In force where there is a procfs, else as written down. nullptr: nothing is known of mounts here.
  const std::vector<Mount>* mounts();
  UnitState unit(std::string_view name);
  /// The value that the files of sysctl.d(5) give to `key`; nullopt: none does.
  std::optional<std::string> sysctl_written(std::string_view key);
  /// Of /lib/modules, of the running kernel where it is known: what can be loaded, what is built in.
  const NameSet& modules();
  const NameSet& modules_built_in();
  /// Id of an account or group; nullopt: there is no such name.
  std::optional<std::uint32_t> user_id(std::string_view name);
  std::optional<std::uint32_t> group_id(std::string_view name);
  Machine machine();
  /// Of the running kernel; nullptr: not the device itself, or it cannot be asked.
  const FirewallPicture* firewall();

  WalkFindings walk;

 private:
  struct PackageReader;
  struct Setting {
    std::string key, value;
  };
  void open_packages(const std::string& path, UniqueFd& file);
  void read_units();
  void read_modules();
  void add_links(const std::string& folder, std::string_view prefix);
  std::optional<std::uint32_t> id_of(std::string_view path, std::string_view name);

  const Root& root_;
  struct Kept {
    std::string path, text;
    Found found{};
  };
  std::vector<std::unique_ptr<Kept>> texts_;
  std::size_t texts_bytes_ = 0;
  std::unique_ptr<PackageReader> reader_;
  NameSet packages_;
  std::string unread_packages_;
  std::optional<std::vector<Mount>> mounts_;
  bool mounts_read_ = false, units_read_ = false, modules_read_ = false, firewall_read_ = false;
  NameSet units_enabled_, units_masked_, modules_, modules_built_in_;
  std::optional<std::vector<Setting>> sysctl_;
  std::optional<FirewallPicture> firewall_;
};

}  // namespace picket::agent::baseline
