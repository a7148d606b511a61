// The tree of an expression. Private to this library.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "hub/condition.h"

namespace picket::hub {

enum class Operator : std::uint8_t {
  all,  ///< AND over all children
  any,  ///< OR over all children
  negate,
  equal,
  unequal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,  ///< children[0] in children[1..]
  not_in,
  arithmetic,  ///< children joined by `signs`
  minus,       ///< unary
  array,       ///< [a, b]
};

struct FunctionEntry;

/// Chains of AND, OR, + and * are one node with many children, so that the tree
/// is never deeper than kQueryDepthMax asks.
struct Expression {
  enum class Kind : std::uint8_t { constant, undefined, path, operation, call };
  Kind kind = Kind::undefined;
  JsonValue constant;
  FieldPath path;
  Operator op = Operator::all;
  std::string signs;  ///< One of + - * / % for each child after the first.
  const FunctionEntry* function = nullptr;
  std::vector<Expression> children;
};

/// A value on its way: borrowed from a document or a constant, or computed.
/// Empty: undefined.
class Operand {
 public:
  Operand() = default;
  Operand(const JsonValue* borrowed) : borrowed_(borrowed) {}
  Operand(JsonValue owned) : owned_(std::move(owned)) {}
  [[nodiscard]] const JsonValue* get() const { return owned_ ? &*owned_ : borrowed_; }

 private:
  const JsonValue* borrowed_ = nullptr;
  std::optional<JsonValue> owned_;
};

Operand evaluate(const Expression& expression, const Resolver& resolver);

/// Adds the paths that it reads and that are not there yet.
void collect_paths(const Expression& expression, std::vector<FieldPath>& out);

/// Constants, paths, operators and calls in it.
std::size_t count_parts(const Expression& expression);

/// -1, 0, 1; nullopt: the two have no order (other types, objects, arrays).
std::optional<int> compare(const JsonValue& a, const JsonValue& b);

using Function = Operand (*)(std::vector<Operand>& arguments);

struct FunctionEntry {
  std::string_view name;  ///< Lower case, without '_'.
  std::size_t arguments_min;
  std::size_t arguments_max;
  Function call;
};
/// By name without case and '_'. nullptr: there is none.
const FunctionEntry* find_function(std::string_view name);
/// All names, for error messages.
std::string function_names();

}  // namespace picket::hub
