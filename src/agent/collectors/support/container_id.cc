#include "support/container_id.h"

#include <algorithm>

namespace picket::agent {
namespace {

constexpr std::size_t kIdDigits = 64;

bool is_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

std::string_view bounded(std::string_view name) { return name.size() <= kContainerIdMax ? name : std::string_view{}; }

// Of one component: "<id>", "docker-<id>.scope", "libpod-<id>", "…:cri-containerd:<id>", "lxc.payload.NAME".
std::string_view container_in(std::string_view name) {
  static constexpr std::string_view kScope = ".scope", kPayload = "lxc.payload.";
  if (name.starts_with(kPayload)) return bounded(name.substr(kPayload.size()));
  if (name.ends_with(kScope)) name.remove_suffix(kScope.size());
  if (name.size() < kIdDigits) return {};
  const auto id = name.substr(name.size() - kIdDigits);
  const auto before = name.substr(0, name.size() - kIdDigits);
  if (!std::ranges::all_of(id, is_digit)) return {};
  if (before.empty() || before.ends_with(':')) return id;
  return before.ends_with('-') && !before.ends_with("conmon-") ? id : std::string_view{};
}

}  // namespace

std::string_view container_of_cgroup(std::string_view path) {
  std::string_view below;
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    const auto name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (const auto id = container_in(name); !id.empty()) return id;
    if (name == "lxc" || name == "lxc.payload") return bounded(below);
    if (name.find("conmon-") != std::string_view::npos) return {};
    below = name;
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return {};
}

std::string_view container_of_cgroup_file(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto second = line.find(':', line.find(':') + 1);
    if (line.find(':') == std::string_view::npos || second == std::string_view::npos) continue;
    if (const auto id = container_of_cgroup(line.substr(second + 1)); !id.empty()) return id;
  }
  return {};
}

}  // namespace picket::agent
