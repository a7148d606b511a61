// Whether the queries of a workbook can run here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workbook/document.h"

namespace picket::workbook {

struct Problem {
  std::string path;
  std::string title;  ///< Of the item, or the name of the parameter.
  std::string query;  ///< With its values; empty: they did not go in.
  std::string message;
};

/// Puts sample values into every KQL query, and each option that the workbook lists once, and asks `mistake_of`
/// (nullopt: it compiles).
std::vector<Problem> check(const Document& document, Timestamp now,
                           const std::function<std::optional<std::string>(std::string_view query)>& mistake_of);

}  // namespace picket::workbook
