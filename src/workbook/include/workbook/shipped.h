// The workbooks that come with Picket: content/workbooks, part of the program.
#pragma once

#include <span>
#include <string_view>

namespace picket::workbook {

struct Shipped {
  std::string_view name;  ///< "Fleet overview"
  std::string_view description;
  std::string_view text;  ///< The file.
};

/// By name; lives as long as the program.
std::span<const Shipped> shipped();

}  // namespace picket::workbook
