// Parameters put into queries. The format puts text into text; here a value can never change what the query is: it
// becomes part of the literal it stands in, a list of literals, or one word or number. Only texts of the workbook's own
// author (options it lists, values of its tabs) may be pieces of a query, and these must end where they began: outside
// of literals and comments.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "workbook/document.h"

namespace picket::workbook {

inline constexpr std::size_t kChoicesMax = 256;         ///< Parameters of one call.
inline constexpr std::size_t kChosenValuesMax = 2'000;  ///< Of one parameter.
inline constexpr std::size_t kQueryBytesMax = 256 * 1024;

struct Interval {
  Timestamp from;
  Timestamp to;
};

/// What stands in a parameter.
struct Choice {
  std::vector<std::string> values;
  std::vector<std::string> labels;   ///< As many, or none: the values.
  std::optional<Duration> back;      ///< A time range back from now.
  std::optional<Interval> interval;  ///< A time range of two ends.
  [[nodiscard]] bool is_time() const { return back || interval; }
};
using Choices = std::map<std::string, Choice, std::less<>>;

/// Choices as JSON, {"Name": "value" | ["a", "b"] | {"durationMs": N, "endTime": "…"} | {"startTime": "…", "endTime":
/// "…"} | {"values": […], "labels": […]} | null}. The error is a sentence.
std::expected<Choices, std::string> read_choices(std::string_view json);

/// What a workbook shows before anybody chose: defaults, the first of the options where one is required.
Choices initial_choices(const Document& document);

struct Mistake {
  std::string parameter;
  std::string message;
  bool unset = false;  ///< Nothing is chosen yet: the item waits.
};

/// `text` with the values in it. Names that the document does not know are left alone: braces are also KQL.
std::expected<std::string, Mistake> resolve(const Document& document, const Choices& choices, std::string_view text,
                                            Timestamp now);

/// The time that a query is limited to, besides its text; nullopt: all.
std::optional<Interval> time_of(const Document& document, const Choices& choices, const Query& query, Timestamp now);

}  // namespace picket::workbook
