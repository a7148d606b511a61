// The scalar and aggregate functions as data: adding one is a line here and, for a new op, a line in the emitter's
// table.
#pragma once

#include <span>
#include <string_view>

#include "kql/value.h"

namespace picket::kql {

/// What a column is called that is defined by a call and given no name (kql.md section 3, implicit names).
enum class NameRule : std::uint8_t {
  none,            ///< Column1, Column2, ...
  first_argument,  ///< As its first argument: tostring(x) is x.
  prefixed,        ///< strlen(x) is strlen_x.
};

/// `parameters`, one letter each: b bool, i int, l long, r real, s string, d datetime, t timespan, g guid, j dynamic, D
/// decimal, S anything, as tostring() prints it, J anything, as JSON. Behind a letter: '?' optional, '*' any number of
/// them. int widens to long, long and decimal to real; dynamic becomes a string where one is wanted.
struct Overload {
  std::string_view parameters;
  Type result;
  std::string_view op;
};

struct ScalarFunction {
  std::string_view name;
  NameRule name_rule;
  std::string_view prefix;  ///< For NameRule::prefixed.
  std::span<const Overload> overloads;
};

/// nullptr: no such function, or one that function_binders.cc binds by code.
const ScalarFunction* find_scalar_function(std::string_view name);
std::span<const ScalarFunction> scalar_functions();
std::span<const ScalarFunction> family_functions();  ///< The second table; a name stands in one of the two.

/// The op of geo_info_from_ip_address(), which some workspaces have not (Schema::locations).
inline constexpr std::string_view kLocationOp = "location";
/// The op of hash(), which takes strings and datetimes only.
inline constexpr std::string_view kHashOp = "xxhash_text";

struct AggregateFunction {
  enum class Shape : std::uint8_t {
    count,              ///< no argument (an optional one is accepted and named, not used)
    condition,          ///< a predicate
    value,              ///< one value
    collection,         ///< one value and an optional largest number of elements
    percentile,         ///< one value, one percentage
    percentiles,        ///< one value, several percentages
    percentiles_array,  ///< the same in one array
    row,                ///< arg_max, arg_min: what ranks, then columns or *
    any_row,            ///< take_any: columns or *
    pair,               ///< two values
  };
  std::string_view name;
  Shape shape;
  std::string_view prefix;  ///< Of the implicit name.
  std::string_view op;
  std::string_view accepts;  ///< Letters of the types of the value, as above; S: all but dynamic; * all.
  char result;               ///< Letter of the result's type; '=': as the value (int stays int); '+': int becomes long.
  bool conditional = false;  ///< The last argument is a predicate: sumif(x, p).
};

const AggregateFunction* find_aggregate(std::string_view name);
std::span<const AggregateFunction> aggregate_functions();

/// A function whose value is a row: `extend (a, b) = series_fit_line(x)`. Its op gives a JSON array.
struct RowFunction {
  struct Column {
    std::string_view name;
    Type type;
  };
  std::string_view name;
  std::span<const Column> columns;
  bool sorts_arrays = false;  ///< As many columns as arguments.
};
const RowFunction* find_row_function(std::string_view name);

/// Functions that look at other rows (binder_windows.cc).
bool is_window_function(std::string_view name);

/// The letter of a type, as above.
char type_letter(Type type);
/// The type of a name that to_string(Type) gives; dynamic for any other.
Type type_from_name(std::string_view name);

/// True for names that the language has and Picket has not, so that the message can say so.
bool is_known_unsupported_function(std::string_view name);

}  // namespace picket::kql
