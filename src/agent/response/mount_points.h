// Where programs can be: the file systems of this mount namespace.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace picket::agent {

inline constexpr std::size_t kMountPointsMax = 1'024;

/// The mount points in the text of /proc/self/mountinfo (proc(5)) whose file systems hold programs. Not those
/// that the kernel makes up (proc, sysfs, …), nor those that somebody else serves (nfs, cifs, fuse, …): waiting for
/// such a server would hold up every start on the device. A file system may be there more than once, and a mount point
/// may be hidden by another one. Lines that cannot be read are left out.
std::vector<std::string> parse_mount_points(std::string_view mountinfo);

}  // namespace picket::agent
