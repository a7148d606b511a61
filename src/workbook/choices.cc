#include <algorithm>

#include "json_parts.h"
#include "workbook/resolve.h"

namespace picket::workbook {
namespace {

constexpr std::int64_t kBackMsMax = 10LL * 366 * 86'400'000;

std::unexpected<std::string> wrong(std::string_view name, std::string_view what) {
  return std::unexpected("The value of \"" + std::string(name) + "\" " + std::string(what) + ".");
}

std::expected<std::vector<std::string>, std::string> texts(std::string_view name, const json::array& from) {
  if (from.size() > kChosenValuesMax) return wrong(name, "has more than 2,000 parts");
  std::vector<std::string> out;
  for (const json::value& one : from) out.push_back(text_of(one));
  return out;
}

std::expected<Choice, std::string> time_choice(std::string_view name, const json::object& from) {
  Choice out;
  const auto start = parse_rfc3339(text(from, "startTime"));
  const auto end = parse_rfc3339(text(from, "endTime"));
  const auto milliseconds = number(from, "durationMs");
  if (milliseconds && (*milliseconds <= 0 || *milliseconds > kBackMsMax)) return wrong(name, "is no length of time");
  if (start && end) {
    out.interval = Interval{*start, *end};
  } else if (milliseconds && end) {
    out.interval = Interval{*end - Duration::milliseconds(*milliseconds), *end};
  } else if (milliseconds) {
    out.back = Duration::milliseconds(*milliseconds);
  } else {
    return wrong(name, "is no time range");
  }
  if (out.interval && out.interval->to < out.interval->from) return wrong(name, "ends before it begins");
  return out;
}

std::expected<Choice, std::string> choice_of(std::string_view name, const json::value& from) {
  Choice out;
  if (from.is_null()) return out;
  if (from.is_array()) {
    auto values = texts(name, from.get_array());
    if (!values) return std::unexpected(values.error());
    out.values = *std::move(values);
    return out;
  }
  if (!from.is_object()) {
    out.values.push_back(text_of(from));
    return out;
  }
  const json::object& object = from.get_object();
  if (!object.contains("values")) return time_choice(name, object);
  auto values = texts(name, array(object, "values"));
  auto labels = texts(name, array(object, "labels"));
  if (!values || !labels) return std::unexpected(values ? labels.error() : values.error());
  out.values = *std::move(values);
  if (labels->size() == out.values.size()) out.labels = *std::move(labels);
  return out;
}

Choice initial(const Parameter& parameter) {
  Choice out;
  if (parameter.kind == ParameterKind::time_range) {
    out.back = parameter.duration.value_or(Duration::days(1));
    return out;
  }
  const auto take = [&out](const Option& option) {
    out.values.push_back(option.value);
    out.labels.push_back(option.label);
  };
  for (const std::string& value : parameter.defaults) {
    const auto known = std::ranges::find(parameter.options, value, &Option::value);
    if (known != parameter.options.end()) {
      take(*known);
    } else if (value == "value::all") {
      if (parameter.all_value) {
        take({*parameter.all_value, "All"});
      } else {
        std::ranges::for_each(parameter.options, take);
      }
    } else if (value.starts_with("value::")) {
      if (!parameter.options.empty()) take(parameter.options.front());
    } else {
      take({value, value});
    }
  }
  if (out.values.empty() && parameter.required && !parameter.options.empty()) take(parameter.options.front());
  return out;
}

}  // namespace

std::expected<Choices, std::string> read_choices(std::string_view text) {
  const auto tree = parse_json(text);
  if (!tree || !tree->is_object()) return std::unexpected("The values must be an object.");
  const json::object& object = tree->get_object();
  if (object.size() > kChoicesMax) return std::unexpected("There are more than 256 values.");
  Choices out;
  for (const auto& [name, value] : object) {
    auto choice = choice_of(name, value);
    if (!choice) return std::unexpected(choice.error());
    out.emplace(name, *std::move(choice));
  }
  return out;
}

Choices initial_choices(const Document& document) {
  Choices out;
  for (const Parameter& parameter : document.parameters) {
    Choice choice = initial(parameter);
    if (!choice.values.empty() || choice.is_time()) out.emplace(parameter.name, std::move(choice));
  }
  for (const auto& [name, exported] : document.exports) {
    if (!exported.values.empty()) out.emplace(name, Choice{.values = {exported.values.front()}});
  }
  return out;
}

}  // namespace picket::workbook
