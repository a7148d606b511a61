// Lists of the API on a terminal: the path that asks for one, the table that shows it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "client.h"

namespace picket::cli {

/// A path of the API and its query. Values are percent-encoded; a parameter without a value is left out.
class RequestPath {
 public:
  explicit RequestPath(std::string path) : text_(std::move(path)) {}
  RequestPath& with(std::string_view name, std::string_view value);
  /// Several values of one parameter: "name=a,b".
  RequestPath& with(std::string_view name, const std::vector<std::string>& values);
  RequestPath& with(std::string_view name, std::uint32_t value);
  /// "name=true" when it holds, else nothing.
  RequestPath& when(bool holds, std::string_view name);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  RequestPath& add(std::string_view name, std::string_view encoded);

  std::string text_;
  bool has_query_ = false;
};

/// How a page of a list is shown to people.
struct Listing {
  /// Said when the page has no item.
  std::string nothing;
  std::vector<std::string> header;
  /// Code points a cell may have; 0: not cut.
  std::size_t cell_width_max = 0;
  std::function<std::vector<std::string>(const boost::json::value&)> row;
  /// What shows more when the page is not all ("total" of the answer).
  std::string more = "see --limit";
};

/// Prints the items of an answer, a page as every list of the API gives it: the table, or as JSON the array.
Outcome<void> print_page(const Outcome<std::string>& answer, bool json, const Listing& listing);

}  // namespace picket::cli
