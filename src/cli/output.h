// What commands print: tables for people, JSON for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace picket::cli {

/// Text safe for a terminal: control characters, which a device may have sent to play with the operator's screen, are
/// shown as \xNN; invalid UTF-8 likewise.
std::string printable(std::string_view text);
/// The same, but lines stay lines.
std::string printable_lines(std::string_view text);

/// Columns to display width of UTF-8 text, one for each code point.
std::size_t display_width(std::string_view text);

/// A plain table: header, rows, two blanks between columns, no trailing blanks. Cells are made printable and cut to
/// `cell_width_max` code points (with an ellipsis); 0: not cut.
class Table {
 public:
  explicit Table(std::vector<std::string> header, std::size_t cell_width_max = 0);
  void add(std::vector<std::string> row);
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::size_t cell_width_max_;
};

/// The line of `text` that a place is in, with ^^^ under the place: two lines. Empty when there is no such line.
std::string underline(std::string_view text, std::size_t line, std::size_t column, std::size_t length);

/// A JSON value as a table cell: text without quotes, null empty, everything else as minified JSON.
std::string cell(const boost::json::value& value);
/// The member as a cell; empty when it is not there.
std::string member(const boost::json::value& object, std::string_view name);
/// JSON with line breaks and two blanks a level.
std::string pretty(const boost::json::value& value);

}  // namespace picket::cli
