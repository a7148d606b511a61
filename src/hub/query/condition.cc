#include "hub/condition.h"

#include <algorithm>

#include <fmt/format.h>

#include "expression.h"
#include "lexer.h"
#include "parser.h"

namespace picket::hub {
namespace {

const JsonValue* member_ignoring_case(const JsonValue& value, std::string_view name) {
  const JsonObject* const object = value.object();
  if (object == nullptr) return nullptr;
  if (const JsonValue* const exact = object->find(name)) return exact;
  for (const JsonMember& member : object->members()) {
    if (equal_ignoring_case(member.key, name)) return &member.value;
  }
  return nullptr;
}

const JsonValue* step_into(const JsonValue& value, const PathStep& step, bool ignore_case) {
  if (step.index) {
    const JsonArray* const items = value.array();
    return items != nullptr && *step.index < items->size() ? &(*items)[*step.index] : nullptr;
  }
  return ignore_case ? member_ignoring_case(value, step.name) : value.find(step.name);
}

bool reads_from(const Expression& expression, FieldPath::Root root) {
  if (expression.kind == Expression::Kind::path && expression.path.root == root) return true;
  return std::ranges::any_of(expression.children, [&](const Expression& child) { return reads_from(child, root); });
}

bool is_device_id(const Expression& expression) {
  return expression.kind == Expression::Kind::path && expression.path.root == FieldPath::Root::document &&
         expression.path.steps.size() == 1 && equal_ignoring_case(expression.path.steps[0].name, "deviceId");
}

const std::string* text_constant(const Expression& expression) {
  return expression.kind == Expression::Kind::constant ? expression.constant.string() : nullptr;
}

using Ids = std::optional<std::vector<std::string>>;

Ids ids_of(const Expression& expression) {
  if (expression.kind != Expression::Kind::operation) return std::nullopt;
  const auto& children = expression.children;
  if (expression.op == Operator::all) {
    for (const Expression& child : children) {
      if (Ids ids = ids_of(child)) return ids;
    }
    return std::nullopt;
  }
  std::vector<std::string> out;
  if (expression.op == Operator::equal) {
    const bool left = is_device_id(children[0]);
    if (!left && !is_device_id(children[1])) return std::nullopt;
    const std::string* const id = text_constant(children[left ? 1 : 0]);
    if (id == nullptr) return std::nullopt;
    out.push_back(*id);
  } else if (expression.op == Operator::in && is_device_id(children[0])) {
    for (std::size_t i = 1; i < children.size(); ++i) {
      const std::string* const id = text_constant(children[i]);
      if (id == nullptr) return std::nullopt;
      out.push_back(*id);
    }
  } else {
    return std::nullopt;
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

}  // namespace

void collect_paths(const Expression& expression, std::vector<FieldPath>& out) {
  if (expression.kind == Expression::Kind::path && std::ranges::find(out, expression.path) == out.end()) {
    out.push_back(expression.path);
  }
  for (const Expression& child : expression.children) collect_paths(child, out);
}

std::size_t count_parts(const Expression& expression) {
  std::size_t out = 1;
  for (const Expression& child : expression.children) out += count_parts(child);
  return out;
}

std::string FieldPath::to_string() const {
  std::string out = root == Root::body ? "$body" : root == Root::twin ? "$twin" : "";
  for (const PathStep& step : steps) {
    if (step.index) {
      out += fmt::format("[{}]", *step.index);
    } else {
      if (!out.empty()) out += '.';
      if (root == Root::system) out += '$';
      out += step.name;
    }
  }
  return out;
}

const JsonValue* walk(const JsonValue& root, std::span<const PathStep> steps, bool ignore_case) {
  const JsonValue* at = &root;
  for (const PathStep& step : steps) {
    at = step_into(*at, step, ignore_case);
    if (at == nullptr) return nullptr;
  }
  return at;
}

const JsonValue* DocumentResolver::resolve(const FieldPath& path) const {
  const JsonValue* const first = step_into(document_, path.steps.front(), true);
  return first == nullptr ? nullptr : walk(*first, std::span(path.steps).subspan(1));
}

HubResult<Condition> Condition::compile(std::string_view text, Dialect dialect) {
  QUERY_TRY(auto tokens, tokenize(text));
  Parser parser(text, std::move(tokens), dialect);
  QUERY_TRY(Expression root, parser.expression());
  if (parser.peek().kind != TokenKind::end) {
    return parser.error(fmt::format("expected AND, OR or the end, found {}.", parser.here()));
  }
  return of(std::move(root));
}

Condition Condition::of(Expression expression) {
  return Condition(std::make_shared<const Expression>(std::move(expression)));
}

Truth Condition::truth(const Resolver& resolver) const {
  const Operand value = hub::evaluate(*root_, resolver);
  if (value.get() == nullptr) return Truth::undefined;
  const bool* const flag = value.get()->boolean();
  return flag != nullptr && *flag ? Truth::yes : Truth::no;
}

std::vector<FieldPath> Condition::paths() const {
  std::vector<FieldPath> out;
  collect_paths(*root_, out);
  return out;
}

bool Condition::reads(FieldPath::Root root) const { return reads_from(*root_, root); }

std::optional<std::vector<std::string>> Condition::device_ids() const { return ids_of(*root_); }

}  // namespace picket::hub
