// One function a family; each in a file of its name.
#pragma once

#include <compare>
#include <string_view>

namespace picket::version {

std::weak_ordering compare_dpkg(std::string_view a, std::string_view b);
std::weak_ordering compare_rpm(std::string_view a, std::string_view b);
std::weak_ordering compare_apk(std::string_view a, std::string_view b);
std::weak_ordering compare_semver(std::string_view a, std::string_view b);
std::weak_ordering compare_pep440(std::string_view a, std::string_view b);
std::weak_ordering compare_maven(std::string_view a, std::string_view b);
std::weak_ordering compare_generic(std::string_view a, std::string_view b);

}  // namespace picket::version
