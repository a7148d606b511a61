// Rules as they are after reading: what a document says, checked, with modifiers applied.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/time.h"
#include "sigma/pattern.h"

namespace picket::sigma {

/// Which events a rule is for. An empty part is free: it asks for nothing.
struct LogSource {
  std::string category;
  std::string product;
  std::string service;

  friend auto operator<=>(const LogSource&, const LogSource&) = default;
  /// Whether an event of `source` is seen by a rule with this log source.
  [[nodiscard]] bool covers(const LogSource& source) const {
    return (category.empty() || category == source.category) && (product.empty() || product == source.product) &&
           (service.empty() || service == source.service);
  }
};

enum class Level : std::uint8_t { none, informational, low, medium, high, critical };
std::string_view to_string(Level level);

/// What a document says about itself. Author, licence and references go with every match (Detection Rule License 1.1).
struct Head {
  std::string file;
  std::uint32_t line = 0;
  std::string title;
  std::string id;    ///< May be empty.
  std::string name;  ///< May be empty.
  std::string status;
  std::string description;
  std::string author;
  std::string license;
  std::vector<std::string> references;
  std::vector<std::string> tags;
  std::vector<std::string> false_positives;
  std::vector<std::string> fields;
  std::string alert;  ///< `alert:`, an attribute of our own: the type of alert that a match raises. May be empty.
  Level level = Level::none;

  /// How the rule is told from others: its id, else its name, else its title.
  [[nodiscard]] const std::string& key() const { return !id.empty() ? id : !name.empty() ? name : title; }
};

enum class Comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal, not_equal };
bool holds(Comparison comparison, double left, double right);
enum class TimePart : std::uint8_t { minute, hour, day, week, month, year };
/// UTC; week: ISO 8601. RFC 3339 text, or seconds, milliseconds or microseconds since 1970, told apart by size.
std::optional<double> time_part_of_text(TimePart part, std::string_view text);
std::optional<double> time_part_of_number(TimePart part, double number);

/// One thing that a field's value may be.
struct Test {
  enum class Kind : std::uint8_t {
    text,     ///< `pattern`; numbers of rules are their decimal text.
    regex,    ///< `regex`, found anywhere.
    network,  ///< `network` contains the address.
    number,   ///< `comparison` with `number`.
    time,     ///< `comparison` of a part of a time with `number`.
    null,     ///< Absent, or present as null.
    exists,   ///< Present, whatever the value; `wanted` false: absent.
    field,    ///< Equal to another field's value; `pattern` has the wildcards around it.
  };
  Kind kind = Kind::text;
  Pattern pattern;
  std::string regex;  ///< RE2 syntax, flags in front.
  Network network;
  Comparison comparison = Comparison::equal;
  double number = 0;
  TimePart part = TimePart::minute;
  bool wanted = true;
  std::string other;        ///< Name of the other field.
  bool open_begin = false;  ///< field: what stands before it is free (endswith, contains).
  bool open_end = false;    ///< field: what stands behind it is free (startswith, contains).

  friend bool operator==(const Test&, const Test&) = default;
};

/// A field and what its value may be: one test suffices. An empty field name: any value of the event (keywords).
struct Item {
  std::string field;
  std::vector<Test> tests;
  std::uint32_t line = 0;
};

/// A tree of and, or, not over items.
struct Expression {
  enum class Kind : std::uint8_t { item, all_of, any_of, negation };
  Kind kind = Kind::item;
  Item item;
  std::vector<Expression> children;  ///< One under a negation. all_of without children is true, any_of is false.
};

/// A condition before its names are looked up.
struct Condition {
  enum class Kind : std::uint8_t { name, all_of, any_of, negation, all_names, any_name };
  Kind kind = Kind::name;
  std::string name;  ///< Of a search identifier; all_names, any_name: a pattern with `*`, or "them".
  std::vector<Condition> children;

  friend bool operator==(const Condition&, const Condition&) = default;
};

struct Rule {
  Head head;
  LogSource source;
  std::vector<std::pair<std::string, Expression>> selections;  ///< Search identifiers in the order of the file.
  std::vector<Condition> conditions;                           ///< One suffices.
  /// Added by processing and filters: all must hold too.
  std::vector<Expression> also;
  std::vector<std::string> filters;  ///< Titles of the filters in `also`.
};

struct Filter {
  Head head;
  LogSource source;
  std::vector<std::string> rules;  ///< Ids or names.
  Expression excluded;             ///< What the named rules shall not match any more.
};

enum class CorrelationKind : std::uint8_t {
  event_count,
  value_count,
  temporal,
  temporal_ordered,
  value_sum,
  value_avg,
  value_percentile,
};
std::string_view to_string(CorrelationKind kind);

struct Bound {
  Comparison comparison = Comparison::greater_equal;
  double number = 0;
};

struct Correlation {
  Head head;
  CorrelationKind kind = CorrelationKind::event_count;
  std::vector<std::string> rules;  ///< Ids or names of rules or correlations.
  std::vector<std::string> group_by;
  std::map<std::string, std::map<std::string, std::string>> aliases;  ///< Alias -> rule -> field.
  Duration timespan;
  std::vector<Bound> bounds;         ///< All must hold; at most two. None for temporal kinds: all rules.
  std::vector<std::string> fields;   ///< Whose values are counted or summed.
  std::optional<double> percentile;  ///< value_percentile: of the numbers; absent: the share of the event's value.
  bool generate = false;             ///< The rules it refers to also raise alerts of their own.
};

/// A set of documents, in the order in which they were read.
struct Documents {
  std::vector<Rule> rules;
  std::vector<Correlation> correlations;
  std::vector<Filter> filters;
};

}  // namespace picket::sigma
