// Which container a process is in, from the path of its control group.
#pragma once

#include <string_view>

namespace picket::agent {

/// Longest name of a container that is believed, bytes. Those of Docker and its like have 64.
inline constexpr std::size_t kContainerIdMax = 128;

/// The container that owns the control group `path` ("/system.slice/docker-<id>.scope"): the id of 64 hexadecimal
/// digits that Docker, Podman, containerd and CRI-O give, with either cgroup driver, or the name of an LXC container.
/// Of containers in containers the innermost one. Empty: none, or a container's monitor, which runs on the host. A view
/// into `path`.
std::string_view container_of_cgroup(std::string_view path);

/// The same for the text of /proc/PID/cgroup, whose lines are "7:cpu,cpuacct:/path": the first that names one.
std::string_view container_of_cgroup_file(std::string_view text);

}  // namespace picket::agent
