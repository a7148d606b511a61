// A workbook: Azure Workbook JSON ("Notebook/1.0"), alone or inside of an ARM template, read far enough to run its
// queries and to say what of it cannot be shown. The text itself is kept as it came.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"

namespace picket::workbook {

inline constexpr std::size_t kFileBytesMax = 8U << 20;
inline constexpr std::size_t kItemsMax = 2'000;
inline constexpr int kDepthMax = 16;               ///< Of groups in groups.
inline constexpr std::size_t kOptionsMax = 1'000;  ///< Of one drop-down that the workbook itself lists.

/// What the place shows, or cannot: told where it stands, never left out silently.
struct Note {
  std::string path;  ///< Of the item: "3" is the fourth, "3.0" the first in that group.
  std::string construct;
  std::string message;
};

/// Where the rows of an item or of a drop-down come from.
enum class Source : std::uint8_t {
  none,
  kql,
  resources,  ///< Azure Resource Graph: answered with the hubs and sites of this installation.
  other,      ///< Told by a note.
};

enum class ParameterKind : std::uint8_t { text, choice, time_range, resource, other };

struct Option {
  std::string value;
  std::string label;
};

/// One branch of a text parameter that follows from others.
struct Criterion {
  std::string left, comparison, right, result;
  bool right_is_parameter = false;
  bool result_is_parameter = false;
};

struct Parameter {
  std::string path;  ///< "0:TimeRange".
  std::string name;
  ParameterKind kind = ParameterKind::other;
  bool several = false;
  bool required = false;
  std::string quote;
  std::string delimiter;
  std::vector<Option> options;        ///< That the workbook itself lists.
  std::vector<std::string> defaults;  ///< Values chosen at first; "value::all" and its like as they stand.
  std::optional<std::string> all_value;
  std::optional<Duration> duration;  ///< Of a time range at first.
  std::vector<Criterion> criteria;
  Source source = Source::none;
  std::string query;
};

struct Query {
  std::string path;
  std::string title;
  std::string text;
  Source source = Source::kql;
  std::string time_parameter;
  std::optional<Duration> duration;
};

/// A name that links, tabs or chosen rows give values to.
struct Export {
  std::vector<std::string>
      values;               ///< That the workbook itself lists: of tabs, and what stands before a row is chosen.
  bool several = false;     ///< Rows are chosen as a list, which is empty at first.
  std::string quote = "'";  ///< Of a list, as a parameter has them.
  std::string delimiter = ",";
};

struct Document {
  std::string name;         ///< As its ARM resource calls it; empty: the file has no name for it.
  std::string description;  ///< Likewise.
  std::string json;         ///< The notebook, minified.
  std::vector<Parameter> parameters;
  std::vector<Query> queries;
  std::map<std::string, Export, std::less<>> exports;
  std::vector<Note> notes;

  [[nodiscard]] const Parameter* parameter(std::string_view called) const;
  /// Of an item, or of a parameter ("0:Name"); nullptr: there is none.
  [[nodiscard]] const Query* query(std::string_view path) const;
  /// Whether queries may refer to it.
  [[nodiscard]] bool knows(std::string_view called) const;
};

/// One notebook. The error is a sentence for people: no JSON, no notebook, too large, too deep.
std::expected<Document, std::string> read_document(std::string_view notebook);

/// A file: a notebook, a workbook resource, or an ARM template with workbooks (also in templates that it nests). An
/// error: none in it, or one that cannot be read.
std::expected<std::vector<Document>, std::string> read_file(std::string_view text);

}  // namespace picket::workbook
