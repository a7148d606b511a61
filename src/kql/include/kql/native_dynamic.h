// Functions over arrays and bags, as plain C++: JSON text in, JSON text out. nullopt is the language's null, given
// where an argument is not of the kind that is wanted. Registered in DuckDB as kql_ and the name here. Pure, from any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::kql {

// --- Arrays. Positions count from 0, negative ones from the end.
std::optional<std::string> array_concat(std::string_view a, std::string_view b);
/// Elements of `condition` choose between those of the others; a scalar stands for all its elements.
std::optional<std::string> array_iff(std::string_view condition, std::string_view yes, std::string_view no);
/// -1: not there. `value` is JSON; `length` -1: to the end.
std::optional<std::int64_t> array_index_of(std::string_view array, std::string_view value, std::int64_t start,
                                           std::int64_t length, std::int64_t occurrence);
std::optional<std::string> array_reverse(std::string_view array);
std::optional<std::string> array_rotate(std::string_view array, std::int64_t left);
std::optional<std::string> array_shift(std::string_view array, std::int64_t left, std::string_view fill);
std::optional<std::string> array_slice(std::string_view array, std::int64_t start, std::int64_t end);
/// `places` is a position or an array of them.
std::optional<std::string> array_split(std::string_view array, std::string_view places);
/// `arrays` is an array of arrays: the first is sorted, the others follow it. All but equally long ones become null.
std::optional<std::string> array_sort(std::string_view arrays, bool descending, bool nulls_last);
std::optional<double> array_sum(std::string_view array);
std::optional<std::string> strcat_array(std::string_view array, std::string_view delimiter);
std::optional<std::string> zip_arrays(std::string_view arrays);
std::string repeat_value(std::string_view value, std::int64_t count);
/// first, first + step, ... up to and with last; at most 1,048,576 elements.
std::optional<std::string> range_long(std::int64_t first, std::int64_t last, std::int64_t step);
std::optional<std::string> range_real(double first, double last, double step);
std::optional<std::string> range_time(std::int64_t first_us, std::int64_t last_us, std::int64_t step_ticks);
std::optional<std::string> range_span(std::int64_t first, std::int64_t last, std::int64_t step);

// --- Sets
std::optional<std::string> set_union(std::string_view a, std::string_view b);
std::optional<std::string> set_intersect(std::string_view a, std::string_view b);
std::optional<std::string> set_difference(std::string_view a, std::string_view b);
/// The distinct elements of an array, those of arrays in it instead of them, sorted, at most `limit`.
std::string flat_set(std::string_view array, std::int64_t limit);
std::optional<bool> set_has_element(std::string_view set, std::string_view value);
std::optional<bool> set_equals(std::string_view a, std::string_view b);
std::optional<double> jaccard_index(std::string_view a, std::string_view b);
/// The text of `value` is among the elements' texts: `in` with a list that is computed.
bool in_list(std::string_view value, std::string_view list);
bool in_list_folded(std::string_view value, std::string_view list);
bool has_any_of(std::string_view text, std::string_view list);
bool has_all_of(std::string_view text, std::string_view list);
/// Position of the first element that `text` has as a term; -1: none.
std::int64_t has_any_index(std::string_view text, std::string_view list);

// --- Bags
std::optional<bool> bag_has_key(std::string_view bag, std::string_view key);
/// Members of `b` are added where `a` has not their key.
std::optional<std::string> bag_merge(std::string_view a, std::string_view b);
std::optional<std::string> bag_remove_keys(std::string_view bag, std::string_view keys);
std::optional<std::string> bag_set_key(std::string_view bag, std::string_view key, std::string_view value);
std::optional<std::string> bag_zip(std::string_view keys, std::string_view values);
/// ["key", value, "key", value] as a bag; the last of equal keys wins.
std::string bag_of_pairs(std::string_view pairs);
/// The same without members that are null or "".
std::string bag_of_pairs_not_empty(std::string_view pairs);
/// The members of many bags in one; the first of equal keys wins.
std::string make_bag(std::string_view bags);
std::optional<std::string> treepath(std::string_view value);
/// Members as an array: one-key bags, or [key, value] pairs. Any other value as it stands.
std::string bag_entries(std::string_view value, bool as_pairs);
/// ["long:key", "string:key"]: what bag_unpack makes of a bag.
std::string bag_schema(std::string_view bag);
/// "array", "dictionary", "long", "double", "bool", "string", "null".
std::string json_type_name(std::string_view value);

// --- Rows into arrays (make-series): bins and values are arrays of equal length, `first` and `last` the bins at the
// ends; `fill` is JSON.
std::optional<std::string> spread(std::string_view bins, std::string_view values, std::int64_t first, std::int64_t last,
                                  std::string_view fill);
std::optional<std::string> axis_time(std::int64_t first, std::int64_t last, std::int64_t from_us, std::int64_t step);
std::optional<std::string> axis_span(std::int64_t first, std::int64_t last, std::int64_t from, std::int64_t step);
std::optional<std::string> axis_long(std::int64_t first, std::int64_t last, std::int64_t from, std::int64_t step);
std::optional<std::string> axis_real(std::int64_t first, std::int64_t last, double from, double step);

}  // namespace picket::kql
