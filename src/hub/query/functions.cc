// The functions of the language. Adding one is one function and one line of the
// table.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "expression.h"
#include "lexer.h"

namespace picket::hub {
namespace {

using Arguments = std::vector<Operand>;

const std::string* text(const Arguments& arguments, std::size_t at) {
  const JsonValue* const value = arguments[at].get();
  return value == nullptr ? nullptr : value->string();
}
std::optional<double> number(const Arguments& arguments, std::size_t at) {
  const JsonValue* const value = arguments[at].get();
  if (value == nullptr || value->number() == nullptr) return std::nullopt;
  return value->number()->value();
}
Operand finite(double value) { return std::isfinite(value) ? Operand(JsonValue(value)) : Operand(); }

template <auto Test>
Operand is_a(Arguments& arguments) {
  const JsonValue* const value = arguments[0].get();
  return JsonValue(value != nullptr && Test(*value));
}
bool null(const JsonValue& value) { return value.is_null(); }
bool boolean(const JsonValue& value) { return value.boolean() != nullptr; }
bool numeric(const JsonValue& value) { return value.number() != nullptr; }
bool string(const JsonValue& value) { return value.string() != nullptr; }
bool object(const JsonValue& value) { return value.object() != nullptr; }
bool array(const JsonValue& value) { return value.array() != nullptr; }
bool primitive(const JsonValue& value) { return !object(value) && !array(value); }
bool any(const JsonValue&) { return true; }

template <auto Math>
Operand math(Arguments& arguments) {
  const auto value = number(arguments, 0);
  return value ? finite(Math(*value)) : Operand();
}
double absolute(double x) { return std::fabs(x); }
double exponential(double x) { return std::exp(x); }
double square(double x) { return x * x; }
double root(double x) { return std::sqrt(x); }
double ceiling(double x) { return std::ceil(x); }
double floor_of(double x) { return std::floor(x); }
double sign(double x) { return x > 0 ? 1 : (x < 0 ? -1 : 0); }

Operand power(Arguments& arguments) {
  const auto base = number(arguments, 0);
  const auto exponent = number(arguments, 1);
  return base && exponent ? finite(std::pow(*base, *exponent)) : Operand();
}

template <auto Test>
Operand of_two_texts(Arguments& arguments) {
  const std::string* const a = text(arguments, 0);
  const std::string* const b = text(arguments, 1);
  if (a == nullptr || b == nullptr) return {};
  return JsonValue(Test(*a, *b));
}
bool starts(const std::string& a, const std::string& b) { return a.starts_with(b); }
bool ends(const std::string& a, const std::string& b) { return a.ends_with(b); }
bool contains(const std::string& a, const std::string& b) { return a.find(b) != std::string::npos; }

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }
std::int64_t characters(std::string_view text) { return std::ranges::count_if(text, begins_character); }
// Offset of the character with this index; the end if there are fewer.
std::size_t offset_of(std::string_view text, double index) {
  std::size_t at = 0;
  for (double seen = -1; at < text.size(); ++at) {
    if (begins_character(text[at]) && ++seen >= index) break;
  }
  return at;
}

Operand index_of(Arguments& arguments) {
  const std::string* const a = text(arguments, 0);
  const std::string* const b = text(arguments, 1);
  if (a == nullptr || b == nullptr) return {};
  const std::size_t at = a->find(*b);
  return at == std::string::npos ? JsonValue(-1) : JsonValue(characters(std::string_view(*a).substr(0, at)));
}

Operand length(Arguments& arguments) {
  const std::string* const value = text(arguments, 0);
  return value == nullptr ? Operand() : Operand(JsonValue(characters(*value)));
}

Operand substring(Arguments& arguments) {
  const std::string* const value = text(arguments, 0);
  const auto start = number(arguments, 1);
  const auto count = arguments.size() < 3 ? std::optional<double>(HUGE_VAL) : number(arguments, 2);
  if (value == nullptr || !start || !count || *start < 0 || *count < 0) return {};
  const std::string_view rest = std::string_view(*value).substr(offset_of(*value, std::floor(*start)));
  return JsonValue(rest.substr(0, offset_of(rest, std::floor(*count))));
}

// Longer texts are undefined: one expression can name a large text thousands of
// times.
constexpr std::size_t kConcatBytesMax = 1 << 20;

Operand concat(Arguments& arguments) {
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string* const part = text(arguments, i);
    if (part == nullptr) return {};
    if (out.size() + part->size() > kConcatBytesMax) return {};
    out += *part;
  }
  return JsonValue(std::move(out));
}

Operand lower(Arguments& arguments) {
  const std::string* const value = text(arguments, 0);
  return value == nullptr ? Operand() : Operand(JsonValue(lower_case(*value)));
}
Operand upper(Arguments& arguments) {
  const std::string* const value = text(arguments, 0);
  if (value == nullptr) return {};
  std::string out = *value;
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c & ~0x20);
  }
  return JsonValue(std::move(out));
}

Operand as_number(Arguments& arguments) {
  if (number(arguments, 0)) return std::move(arguments[0]);
  const std::string* const value = text(arguments, 0);
  if (value == nullptr) return {};
  double out = 0;
  const char* const end = value->data() + value->size();
  const auto [at, failed] = std::from_chars(value->data(), end, out);
  if (failed != std::errc() || at != end || value->empty()) return {};
  return finite(out);
}

Operand as_string(Arguments& arguments) {
  const JsonValue* const value = arguments[0].get();
  if (value == nullptr || object(*value) || array(*value)) return {};
  if (string(*value)) return std::move(arguments[0]);
  return JsonValue(value->to_string());
}

constexpr FunctionEntry kFunctions[] = {
    {"abs", 1, 1, math<absolute>},
    {"asnumber", 1, 1, as_number},
    {"asstring", 1, 1, as_string},
    {"ceiling", 1, 1, math<ceiling>},
    {"concat", 2, 64, concat},
    {"contains", 2, 2, of_two_texts<contains>},
    {"endswith", 2, 2, of_two_texts<ends>},
    {"exp", 1, 1, math<exponential>},
    {"floor", 1, 1, math<floor_of>},
    {"indexof", 2, 2, index_of},
    {"isarray", 1, 1, is_a<array>},
    {"isbool", 1, 1, is_a<boolean>},
    {"isdefined", 1, 1, is_a<any>},
    {"isnull", 1, 1, is_a<null>},
    {"isnumber", 1, 1, is_a<numeric>},
    {"isobject", 1, 1, is_a<object>},
    {"isprimitive", 1, 1, is_a<primitive>},
    {"isstring", 1, 1, is_a<string>},
    {"length", 1, 1, length},
    {"lower", 1, 1, lower},
    {"power", 2, 2, power},
    {"sign", 1, 1, math<sign>},
    {"sqrt", 1, 1, math<root>},
    {"square", 1, 1, math<square>},
    {"startswith", 2, 2, of_two_texts<starts>},
    {"substring", 2, 3, substring},
    {"upper", 1, 1, upper},
};

}  // namespace

const FunctionEntry* find_function(std::string_view name) {
  std::string plain = lower_case(name);
  std::erase(plain, '_');
  const auto* const found = std::ranges::find(kFunctions, plain, &FunctionEntry::name);
  return found == std::end(kFunctions) ? nullptr : found;
}

std::string function_names() {
  std::string out;
  for (const FunctionEntry& entry : kFunctions) {
    if (!out.empty()) out += ", ";
    out += entry.name;
  }
  return out;
}

}  // namespace picket::hub
