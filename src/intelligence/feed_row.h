// Rows of tables: what CSV and JSON forms of one source have in common are the names of their columns.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "intelligence/feed_parser.h"

namespace picket::intelligence {

inline constexpr std::size_t kFeedDepthMax = 32;
inline constexpr std::size_t kColumnsMax = 256;

using FeedRow = std::vector<std::pair<std::string, std::string>>;  ///< Column in lower case, value.

/// Whether a column of that name (lower case) holds an indicator.
bool is_indicator_column(std::string_view column);
/// Adds the indicators of a row. Errors: those of the sink.
Result<> take_row(const FeedRow& row, const FeedSink& sink, ParseReport& report);

/// Whether a line of the head names columns that are known.
bool has_csv_heading(std::string_view text);

/// One line of a list: takes what it lists, counts what it cannot. Errors: those of the sink.
Result<> take_line(std::string_view line, const FeedSink& sink, ParseReport& report);

/// Hands over and counts. Errors: those of the sink.
Result<> take_indicator(Indicator indicator, const FeedSink& sink, ParseReport& report);

}  // namespace picket::intelligence
