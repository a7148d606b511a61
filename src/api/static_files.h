// The portal's files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "http.h"

namespace picket::api {

/// Serves what was in the folder when it was opened, by name from a list: no request can name a file that is not in it.
/// Read-only afterwards; any thread.
class StaticFiles {
 public:
  static constexpr std::size_t kFilesMax = 4096;
  static constexpr std::size_t kFileBytesMax = 32U << 20;

  /// Errors: io; not_found when there is no index.html; limit_exceeded.
  static Result<StaticFiles> open(const std::string& directory);
  StaticFiles() = default;

  /// GET or HEAD of a path outside /api. What is no file and stands outside /assets/ is a page of the portal: it gets
  /// index.html. Texts are compressed when first asked for, and kept: about a quarter of the folder's size.
  [[nodiscard]] Response serve(const Request& request) const;

 private:
  struct Compressed {
    std::once_flag made;
    std::string content;
  };
  struct File {
    std::string path;
    std::string etag;
    std::string_view type;
    bool immutable = false;                  ///< Its name changes with its content.
    std::unique_ptr<Compressed> compressed;  ///< nullptr: not worth it.
  };
  std::map<std::string, File, std::less<>> files_;  // by URL path
};

}  // namespace picket::api
