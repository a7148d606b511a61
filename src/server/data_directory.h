// The folder that holds everything of one installation (docs/configuration.md, data directory).
#pragma once

#include <string>

#include "base/core/file.h"
#include "base/core/result.h"

namespace picket::server {

/// Number of the layout that this program makes. Older is upgraded, newer is refused.
inline constexpr int kDataVersion = 1;

/// An opened data directory. Holds its lock: a second server on the same folder is refused.
class DataDirectory {
 public:
  /// Makes what is missing (folders 0700). Errors: unavailable "data.lock" (another server runs on it), unsupported
  /// "data.version" (made by a newer Picket), malformed (VERSION or installation id are damaged), io.
  static Result<DataDirectory> open(const std::string& path);

  [[nodiscard]] std::string secrets() const { return path_ + "/secrets"; }
  [[nodiscard]] std::string journal() const { return path_ + "/journal"; }
  [[nodiscard]] std::string derived() const { return path_ + "/derived"; }
  [[nodiscard]] std::string checkpoints() const { return path_ + "/checkpoints"; }
  [[nodiscard]] std::string segments() const { return path_ + "/segments"; }
  [[nodiscard]] std::string blobs() const { return path_ + "/blobs"; }
  [[nodiscard]] std::string registry() const { return path_ + "/registry"; }
  [[nodiscard]] std::string intelligence() const { return path_ + "/intelligence"; }
  [[nodiscard]] std::string forward() const { return path_ + "/forward"; }
  [[nodiscard]] std::string software() const { return path_ + "/software"; }
  [[nodiscard]] std::string state_file() const { return path_ + "/state/state.sqlite"; }
  /// Random UUID made with the folder: stands where the published tables carry a subscription id.
  [[nodiscard]] const std::string& installation_id() const { return installation_id_; }

 private:
  std::string path_;
  std::string installation_id_;
  UniqueFd lock_;
};

}  // namespace picket::server
