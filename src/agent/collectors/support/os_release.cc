#include "support/os_release.h"

#include <algorithm>

#include "base/core/file.h"

namespace picket::agent {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;

std::string first_line(const std::string& path) {
  const auto text = read_file(path, kFileBytesMax);
  if (!text) return {};
  std::string out = text->substr(0, text->find('\n'));
  while (!out.empty() && (out.back() == ' ' || out.back() == '\r')) out.pop_back();
  return out;
}

}  // namespace

std::string os_release_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != '=') continue;
    line.remove_prefix(name.size() + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool quoted =
        line.size() >= 2 && (line.front() == '"' || line.front() == '\'') && line.back() == line.front();
    if (quoted) line = line.substr(1, line.size() - 2);
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size()) ++i;
      out += line[i];
    }
    return out;
  }
  return {};
}

OsRelease read_os_release(const std::string& root) {
  for (const char* const path : {"/etc/os-release", "/usr/lib/os-release"}) {
    const auto text = read_file(root + path, kFileBytesMax);
    if (!text) continue;
    OsRelease out{.name = os_release_value(*text, "NAME"),
                  .id = os_release_value(*text, "ID"),
                  .version_id = os_release_value(*text, "VERSION_ID"),
                  .version = os_release_value(*text, "VERSION")};
    // Rolling images have no VERSION_ID; Yocto's and Buildroot's say what was built.
    if (out.version_id.empty()) out.version_id = os_release_value(*text, "BUILD_ID");
    if (out.version_id.empty()) out.version_id = out.version;
    if (!out.name.empty() || !out.id.empty()) return out;
  }
  if (const auto text = read_file(root + "/etc/openwrt_release", kFileBytesMax)) {
    return {.name = os_release_value(*text, "DISTRIB_ID"),
            .id = "openwrt",
            .version_id = os_release_value(*text, "DISTRIB_RELEASE"),
            .version = os_release_value(*text, "DISTRIB_DESCRIPTION")};
  }
  if (std::string version = first_line(root + "/etc/br-version"); !version.empty()) {
    return {.name = "Buildroot", .id = "buildroot", .version_id = version, .version = version};
  }
  // "Poky (Yocto Project Reference Distro) 2.5.3 \n \l"
  std::string issue = first_line(root + "/etc/issue");
  issue.resize(std::min(issue.find('\\'), issue.size()));
  while (!issue.empty() && issue.back() == ' ') issue.pop_back();
  const std::string version = first_line(root + "/etc/version");
  return {.name = issue, .id = "", .version_id = version, .version = version};
}

}  // namespace picket::agent
