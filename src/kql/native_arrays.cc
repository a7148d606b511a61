// Arrays and sets of dynamic values.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <stdexcept>

#include "kql/native_dynamic.h"
#include "kql/native_functions.h"
#include "kql/value.h"
#include "native_json.h"

namespace picket::kql {

namespace {

constexpr std::int64_t kElementsMax = 1'048'576;

bool holds(const JsonItems& items, std::string_view value) {
  return std::ranges::any_of(items, [&](std::string_view item) { return json_equal(item, value); });
}

void add_once(JsonItems& items, std::string_view value) {
  if (!holds(items, value)) items.push_back(value);
}

std::string lower(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

template <class Number, class Print>
std::optional<std::string> steps(Number first, Number last, Number step, Print print) {
  if (step == Number{}) return std::nullopt;
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < kElementsMax; ++i) {
    const auto value = first + static_cast<Number>(i) * step;
    if (step > Number{} ? value > last : value < last) break;
    out.push_back(print(value));
  }
  return json_array(out);
}

/// A series that is left out would look like one without values.
void check_places(std::int64_t first, std::int64_t last) {
  if (last >= first && static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) >=
                           static_cast<std::uint64_t>(kElementsMax)) {
    throw std::runtime_error("make-series would have more than 1,048,576 places: choose a longer step");
  }
}

template <class Number, class Print>
std::optional<std::string> axis(std::int64_t first, std::int64_t last, Number from, Number step, Print print) {
  check_places(first, last);
  std::vector<std::string> out;
  for (auto i = first; i <= last; ++i) out.push_back(print(from + static_cast<Number>(i) * step));
  return json_array(out);
}

const auto kPrintTime = [](std::int64_t us) { return json_text(datetime_text(us)); };
const auto kPrintSpan = [](std::int64_t ticks) { return json_text(timespan_text(ticks)); };
const auto kPrintLong = [](std::int64_t value) { return std::to_string(value); };

}  // namespace

std::optional<std::string> array_concat(std::string_view a, std::string_view b) {
  auto x = json_items(a);
  const auto y = json_items(b);
  if (!x || !y) return std::nullopt;
  x->insert(x->end(), y->begin(), y->end());
  return json_array(*x);
}

std::optional<std::string> array_iff(std::string_view condition, std::string_view yes, std::string_view no) {
  const auto conditions = json_items(condition);
  if (!conditions) return std::nullopt;
  const auto yes_items = json_items(yes);
  const auto no_items = json_items(no);
  JsonItems out;
  for (std::size_t i = 0; i < conditions->size(); ++i) {
    const auto text = (*conditions)[i];
    const auto number = dynamic_number(text);
    if (text != "true" && text != "false" && !number) {
      out.push_back("null");
      continue;
    }
    const bool chosen = number ? *number != 0 : text == "true";
    const auto& items = chosen ? yes_items : no_items;
    out.push_back(!items ? (chosen ? yes : no) : i < items->size() ? (*items)[i] : std::string_view("null"));
  }
  return json_array(out);
}

std::optional<std::int64_t> array_index_of(std::string_view array, std::string_view value, std::int64_t start,
                                           std::int64_t length, std::int64_t occurrence) {
  const auto items = json_items(array);
  if (!items || occurrence < 1) return std::nullopt;
  const auto size = static_cast<std::int64_t>(items->size());
  if (start < 0) start = std::max<std::int64_t>(0, size + start);
  const auto end = length < 0 ? size : std::min(size, start + length);
  for (auto i = start; i < end; ++i) {
    if (json_equal((*items)[static_cast<std::size_t>(i)], value) && --occurrence == 0) return i;
  }
  return -1;
}

std::optional<std::string> array_reverse(std::string_view array) {
  auto items = json_items(array);
  if (!items) return std::nullopt;
  std::ranges::reverse(*items);
  return json_array(*items);
}

std::optional<std::string> array_rotate(std::string_view array, std::int64_t left) {
  auto items = json_items(array);
  if (!items) return std::nullopt;
  const auto size = static_cast<std::int64_t>(items->size());
  if (size > 0) std::ranges::rotate(*items, items->begin() + ((left % size) + size) % size);
  return json_array(*items);
}

std::optional<std::string> array_shift(std::string_view array, std::int64_t left, std::string_view fill) {
  const auto items = json_items(array);
  if (!items) return std::nullopt;
  const auto size = static_cast<std::int64_t>(items->size());
  JsonItems out;
  for (std::int64_t i = 0; i < size; ++i) {
    const bool inside = left < 0 ? i >= (left < -size ? size : -left) : left < size - i;
    out.push_back(inside ? (*items)[static_cast<std::size_t>(i + left)] : fill);
  }
  return json_array(out);
}

std::optional<std::string> array_slice(std::string_view array, std::int64_t start, std::int64_t end) {
  const auto items = json_items(array);
  if (!items) return std::nullopt;
  const auto size = static_cast<std::int64_t>(items->size());
  const auto place = [size](std::int64_t at) { return at < 0 ? std::max<std::int64_t>(0, size + at) : at; };
  const auto last = end < -size ? std::int64_t{-1} : place(end);
  JsonItems out;
  for (auto i = place(start); i <= last && i < size; ++i) out.push_back((*items)[static_cast<std::size_t>(i)]);
  return json_array(out);
}

std::optional<std::string> array_split(std::string_view array, std::string_view places) {
  const auto items = json_items(array);
  if (!items) return std::nullopt;
  const auto size = static_cast<std::int64_t>(items->size());
  std::vector<std::int64_t> cuts;
  const auto add = [&](std::string_view json) {
    auto at = dynamic_whole(json).value_or(-1);
    if (at < 0) at = std::max<std::int64_t>(0, size + at);
    cuts.push_back(std::min(at, size));
  };
  if (const auto several = json_items(places)) {
    for (const auto place : *several) add(place);
  } else {
    add(places);
  }
  cuts.push_back(size);
  std::vector<std::string> out;
  std::int64_t from = 0;
  for (const auto to : cuts) {
    JsonItems part;
    for (auto i = from; i < to; ++i) part.push_back((*items)[static_cast<std::size_t>(i)]);
    out.push_back(json_array(part));
    from = std::max(from, to);
  }
  return json_array(out);
}

std::optional<std::string> array_sort(std::string_view arrays, bool descending, bool nulls_last) {
  const auto all = json_items(arrays);
  if (!all || all->empty()) return std::nullopt;
  const auto first = json_items(all->front());
  if (!first) return std::nullopt;
  std::vector<std::size_t> order(first->size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto less = [&](std::string_view x, std::string_view y) {
    if (json_is_null(x) || json_is_null(y)) {
      return nulls_last ? json_is_null(y) && !json_is_null(x) : json_is_null(x) && !json_is_null(y);
    }
    return descending ? json_less(y, x) : json_less(x, y);
  };
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {  // equal elements keep their order
    if (less((*first)[a], (*first)[b])) return true;
    return !less((*first)[b], (*first)[a]) && a < b;
  });
  std::vector<std::string> out;
  for (const auto one : *all) {
    const auto items = json_items(one);
    if (!items || items->size() != order.size()) {
      out.emplace_back("null");
      continue;
    }
    JsonItems sorted;
    for (const auto at : order) sorted.push_back((*items)[at]);
    out.push_back(json_array(sorted));
  }
  return json_array(out);
}

std::optional<double> array_sum(std::string_view array) {
  const auto items = json_items(array);
  if (!items) return std::nullopt;
  double sum = 0;
  for (const auto item : *items) {
    if (json_is_null(item)) continue;
    const auto number = dynamic_number(item);
    if (!number) return std::nullopt;
    sum += *number;
  }
  return sum;
}

std::optional<std::string> strcat_array(std::string_view array, std::string_view delimiter) {
  const auto items = json_items(array);
  if (!items) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (i > 0) out += delimiter;
    out += dynamic_text((*items)[i]);
  }
  return out;
}

std::optional<std::string> zip_arrays(std::string_view arrays) {
  const auto all = json_items(arrays);
  if (!all) return std::nullopt;
  std::vector<JsonItems> columns;
  std::size_t longest = 0;
  for (const auto one : *all) {
    auto items = json_items(one);
    if (!items) return std::nullopt;
    longest = std::max(longest, items->size());
    columns.push_back(std::move(*items));
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < longest; ++i) {
    JsonItems row;
    for (const auto& column : columns) row.push_back(i < column.size() ? column[i] : std::string_view("null"));
    out.push_back(json_array(row));
  }
  return json_array(out);
}

std::string repeat_value(std::string_view value, std::int64_t count) {
  return json_array(JsonItems(static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, kElementsMax)), value));
}

std::optional<std::string> range_long(std::int64_t first, std::int64_t last, std::int64_t step) {
  return steps(first, last, step, kPrintLong);
}
std::optional<std::string> range_real(double first, double last, double step) {
  return steps(first, last, step, json_number);
}
std::optional<std::string> range_time(std::int64_t first_us, std::int64_t last_us, std::int64_t step_ticks) {
  return steps(first_us, last_us, step_ticks / kTicksPerMicrosecond, kPrintTime);
}
std::optional<std::string> range_span(std::int64_t first, std::int64_t last, std::int64_t step) {
  return steps(first, last, step, kPrintSpan);
}

// --- sets

std::optional<std::string> set_union(std::string_view a, std::string_view b) {
  const auto x = json_items(a);
  const auto y = json_items(b);
  if (!x || !y) return std::nullopt;
  JsonItems out;
  for (const auto item : *x) add_once(out, item);
  for (const auto item : *y) add_once(out, item);
  return json_array(out);
}

std::optional<std::string> set_intersect(std::string_view a, std::string_view b) {
  const auto x = json_items(a);
  const auto y = json_items(b);
  if (!x || !y) return std::nullopt;
  JsonItems out;
  for (const auto item : *x) {
    if (holds(*y, item)) add_once(out, item);
  }
  return json_array(out);
}

std::optional<std::string> set_difference(std::string_view a, std::string_view b) {
  const auto x = json_items(a);
  const auto y = json_items(b);
  if (!x || !y) return std::nullopt;
  JsonItems out;
  for (const auto item : *x) {
    if (!holds(*y, item)) add_once(out, item);
  }
  return json_array(out);
}

std::string flat_set(std::string_view array, std::int64_t limit) {
  std::vector<std::string> out;
  std::set<std::string, std::less<>> seen;
  const auto add = [&](std::string_view item) {
    if (!json_is_null(item) && seen.emplace(item).second) out.emplace_back(item);
  };
  for (const auto item : json_items(array).value_or(JsonItems())) {
    if (const auto inner = json_items(item)) {
      for (const auto one : *inner) add(one);
    } else {
      add(item);
    }
  }
  std::ranges::sort(out, [](const auto& a, const auto& b) { return json_less(a, b); });
  if (out.size() > static_cast<std::size_t>(limit)) out.resize(static_cast<std::size_t>(limit));
  return json_array(out);
}

std::optional<bool> set_has_element(std::string_view set, std::string_view value) {
  const auto items = json_items(set);
  return items ? std::optional(holds(*items, value)) : std::nullopt;
}

std::optional<bool> set_equals(std::string_view a, std::string_view b) {
  const auto x = json_items(a);
  const auto y = json_items(b);
  if (!x || !y) return std::nullopt;
  return std::ranges::all_of(*x, [&](auto item) { return holds(*y, item); }) &&
         std::ranges::all_of(*y, [&](auto item) { return holds(*x, item); });
}

std::optional<double> jaccard_index(std::string_view a, std::string_view b) {
  const auto both = set_intersect(a, b);
  const auto all = set_union(a, b);
  if (!both || !all) return std::nullopt;
  const auto size = json_items(*all)->size();
  return size == 0 ? std::numeric_limits<double>::quiet_NaN()
                   : static_cast<double>(json_items(*both)->size()) / static_cast<double>(size);
}

bool in_list(std::string_view value, std::string_view list) {
  const auto items = json_items(list);
  return items ? holds(*items, value) : json_equal(value, list);
}

bool in_list_folded(std::string_view value, std::string_view list) {
  const auto items = json_items(list);
  const auto wanted = lower(dynamic_text(value));
  return items && std::ranges::any_of(*items, [&](auto item) { return lower(dynamic_text(item)) == wanted; });
}

std::int64_t has_any_index(std::string_view text, std::string_view list) {
  const auto items = json_items(list);
  if (!items) return -1;
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (has_term(text, dynamic_text((*items)[i]))) return static_cast<std::int64_t>(i);
  }
  return -1;
}

bool has_any_of(std::string_view text, std::string_view list) {
  return json_items(list) ? has_any_index(text, list) >= 0 : has_term(text, dynamic_text(list));
}

bool has_all_of(std::string_view text, std::string_view list) {
  const auto items = json_items(list);
  if (!items) return has_term(text, dynamic_text(list));
  return std::ranges::all_of(*items, [&](auto item) { return has_term(text, dynamic_text(item)); });
}

// --- make-series

std::optional<std::string> spread(std::string_view bins, std::string_view values, std::int64_t first, std::int64_t last,
                                  std::string_view fill) {
  const auto places = json_items(bins);
  const auto items = json_items(values);
  if (!places || !items || places->size() != items->size()) return std::nullopt;
  check_places(first, last);
  JsonItems out(static_cast<std::size_t>(std::max<std::int64_t>(0, last - first + 1)), fill);
  for (std::size_t i = 0; i < places->size(); ++i) {
    const auto at = parse_long((*places)[i]).value_or(-1) - first;
    if (at >= 0 && static_cast<std::size_t>(at) < out.size()) out[static_cast<std::size_t>(at)] = (*items)[i];
  }
  return json_array(out);
}

std::optional<std::string> axis_time(std::int64_t first, std::int64_t last, std::int64_t from_us, std::int64_t step) {
  return axis(first, last, from_us, step / kTicksPerMicrosecond, kPrintTime);
}
std::optional<std::string> axis_span(std::int64_t first, std::int64_t last, std::int64_t from, std::int64_t step) {
  return axis(first, last, from, step, kPrintSpan);
}
std::optional<std::string> axis_long(std::int64_t first, std::int64_t last, std::int64_t from, std::int64_t step) {
  return axis(first, last, from, step, kPrintLong);
}
std::optional<std::string> axis_real(std::int64_t first, std::int64_t last, double from, double step) {
  return axis(first, last, from, step, json_number);
}

}  // namespace picket::kql
