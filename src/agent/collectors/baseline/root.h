// The files of the device, or of an image of one below a folder, that checks look at; nothing leaves that folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/core/file.h"
#include "base/core/result.h"

namespace picket::agent::baseline {

/// What reading a text came to.
enum class Found : std::uint8_t { yes, missing, unreadable, too_large };

/// A folder that is taken for "/": links in it, absolute ones and "..", lead within it (openat2, Linux 5.6). On older
/// kernels only the device itself can be looked at. One thread.
class Root {
 public:
  static constexpr std::size_t kGlobMax = 512;      ///< Paths that one pattern may stand for; more are left out.
  static constexpr std::size_t kFolderMax = 8'192;  ///< Names of one folder that are looked at.

  /// `path`: "" or "/" is the device. Errors: io; unsupported (an image on a kernel without openat2).
  static Result<Root> open(const std::string& path);

  /// The device itself, not an image.
  [[nodiscard]] bool live() const { return path_.empty(); }
  /// "" on the device, else what was given, without a "/" at its end.
  [[nodiscard]] const std::string& path() const { return path_; }

  /// All take absolute paths. An invalid descriptor: errno says why.
  [[nodiscard]] UniqueFd open_file(std::string_view path, int flags) const;
  /// Regular files and those of procfs and sysfs. `text` is empty unless `yes`.
  Found read(std::string_view path, std::size_t size_max, std::string& text) const;
  /// Follows links; `missing` is also a link to nothing.
  Found stat(std::string_view path, struct stat& info) const;
  [[nodiscard]] bool exists(std::string_view path) const;
  /// Where a symbolic link points; empty: it is none.
  [[nodiscard]] std::string link_target(std::string_view path) const;
  /// Names in a folder, sorted, without "." and ".."; empty when it is not there.
  [[nodiscard]] std::vector<std::string> list(std::string_view folder) const;
  /// Paths that a pattern with * and ? in any part stands for, sorted; without them: the path, whether it exists or
  /// not. A * does not stand for a "." in front.
  [[nodiscard]] std::vector<std::string> glob(std::string_view pattern) const;

 private:
  Root(UniqueFd fd, std::string path, bool resolves)
      : fd_(std::move(fd)), path_(std::move(path)), resolves_(resolves) {}

  UniqueFd fd_;
  std::string path_;
  bool resolves_;  ///< The kernel has openat2.
};

/// Whether `name` is what `pattern` with * and ? stands for. Both may hold any bytes.
bool matches_glob(std::string_view pattern, std::string_view name);

}  // namespace picket::agent::baseline
