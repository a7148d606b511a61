// Names of local users without glibc's name service, which a static binary cannot load.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::agent {

/// Reads the file again when its time or size has changed; a call costs one stat(2). Users of directories (LDAP, SSSD)
/// stay numbers.
class UserNames {
 public:
  static constexpr std::size_t kUsersMax = 1'024;
  static constexpr std::size_t kFileBytesMax = 256 << 10;

  explicit UserNames(std::string path = "/etc/passwd") : path_(std::move(path)) {}
  /// Empty: no such user. The view lives until the next call.
  std::string_view find(std::uint32_t uid);

 private:
  struct User {
    std::uint32_t uid;
    std::string name;
  };
  void reload_if_changed();

  std::string path_;
  std::vector<User> users_;
  std::int64_t changed_ns_ = -1;
  std::int64_t size_ = -1;
};

}  // namespace picket::agent
