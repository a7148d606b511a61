// One look at all software of a device (or of an image of one), in short steps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/core/file.h"
#include "sbom/package.h"
#include "sbom/rpm.h"
#include "sbom/stanzas.h"
#include "support/file_walk.h"

namespace picket::agent {

/// Text databases of packages, where they are below the root.
struct PackageDatabase {
  StanzaForm form;
  std::string_view path;  ///< Of the file; of a folder of files where `folder`.
  bool folder = false;
};
std::span<const PackageDatabase> package_databases();

/// Reads databases, then walks for packages of languages, then looks into a few programs that say their version. Each
/// step is bounded: 64 KiB of text, or 512 entries of the walk.
class SoftwareScan {
 public:
  static constexpr std::size_t kReadBytes = 64 << 10;
  static constexpr std::size_t kWalkEntries = 512;
  static constexpr std::uint64_t kDatabaseBytesMax = 128
                                                     << 20;  ///< The rest of a longer one is left, and it unreadable.
  static constexpr std::size_t kProgramBytesMax = 8 << 20;   ///< Of a program that is searched.
  static constexpr std::size_t kPackagesMax = 20'000;        ///< More are counted in past_bounds().

  /// `root`: "" on a device. `kernel_release`: of the running kernel; empty: of the modules below root.
  SoftwareScan(std::string root, std::string kernel_release, PackageSink sink);
  /// Does a little. False: the scan is complete.
  bool step();
  [[nodiscard]] const Distribution& distribution() const { return distribution_; }
  [[nodiscard]] std::uint64_t past_bounds() const { return past_bounds_; }
  /// Files that could not be read, folders that were left out.
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_ + walk_.skipped(); }

 private:
  enum class Phase : std::uint8_t { databases, rpm, walk, programs, done };
  void found(const Package& package);
  bool step_databases();
  bool open_database();
  bool step_rpm();
  void step_program();
  void find_kernel();
  bool visit(const FileWalk::Entry& entry);
  void read_python(int folder, const std::string& path, const std::string& name);
  void read_node(const FileWalk::Entry& entry);
  std::optional<std::string> read_front(int folder, const std::string& name);

  std::string root_, kernel_release_;
  PackageSink sink_;
  Distribution distribution_;
  Phase phase_ = Phase::databases;
  std::size_t database_ = 0;
  std::vector<std::string> files_;  ///< Of a database that is a folder.
  UniqueFd file_;
  std::uint64_t file_bytes_ = 0;  ///< Read of it.
  std::unique_ptr<StanzaParser> parser_;
  std::unique_ptr<RpmDatabase> rpm_;
  std::string buffer_;
  FileWalk walk_;
  std::size_t program_ = 0;
  bool has_busybox_ = false, has_openssl_ = false, has_dropbear_ = false;  ///< A package manager said so.
  std::uint64_t packages_ = 0, past_bounds_ = 0, unreadable_ = 0;
};

}  // namespace picket::agent
