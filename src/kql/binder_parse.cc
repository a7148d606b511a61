// parse, parse-where, parse-kv.
#include <algorithm>
#include <array>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

using Part = ast::Parse::Part;

/// What a typed column may look like in a regular expression.
std::string_view type_pattern(Type type) {
  switch (type) {
    case Type::int32:
    case Type::int64:
      return "[+-]?[0-9]+";
    case Type::real:
    case Type::decimal:
      return "[+-]?[0-9]*\\.?[0-9]+(?:[eE][+-]?[0-9]+)?";
    case Type::boolean:
      return "(?i:true|false)";
    default:
      return ".*?";
  }
}

}  // namespace

namespace {

/// Calls `found` with what stands behind the bracket of each capturing group, until it says true.
template <class Found>
void each_group(std::string_view regex, Found found) {
  bool in_class = false;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (in_class) {
      in_class = regex[i] != ']';
    } else if (regex[i] == '[') {
      in_class = true;
    } else if (regex[i] == '(') {
      const auto rest = regex.substr(i + 1);
      if ((!rest.starts_with('?') || rest.starts_with("?P<")) && found(rest)) return;
    }
  }
}

}  // namespace

std::size_t regex_groups(std::string_view regex) {
  std::size_t out = 0;
  each_group(regex, [&](std::string_view) {
    ++out;
    return false;
  });
  return out;
}

std::optional<std::size_t> regex_group(std::string_view regex, std::string_view name) {
  const auto head = "?P<" + std::string(name) + ">";
  std::size_t at = 0;
  bool met = false;
  each_group(regex, [&](std::string_view rest) {
    ++at;
    met = rest.starts_with(head);
    return met;
  });
  return met ? std::optional(at) : std::nullopt;
}

Checked<> Binder::apply(Relation& relation, const ast::Parse& op, Span span) {
  TRY(auto value, bind_in(relation.columns, *op.value));
  if (value->type != Type::string && value->type != Type::dynamic) {
    return diagnose(code::kType, op.value->span,
                    "'parse' reads strings, this is " + std::string(to_string(value->type)));
  }
  value = convert(value, Type::string);
  const bool regex = op.kind == ast::Parse::Kind::regex;
  std::string pattern;  // the description that the native function reads, or the regular expression
  std::vector<std::size_t> groups;
  std::size_t group = 0;
  if (regex) {
    constexpr std::string_view kFlags = "Uims";
    if (op.flags.find_first_not_of(kFlags) != std::string::npos) {
      return diagnose(code::kArguments, span, "the flags of a pattern are of U, i, m and s");
    }
    pattern = op.flags.empty() ? "(?s)" : "(?s" + op.flags + ")";
  }
  for (std::size_t i = 0; i < op.parts.size(); ++i) {
    const auto& part = op.parts[i];
    const bool last = i + 1 == op.parts.size();
    if (regex) {
      if (part.kind == Part::Kind::star) {
        pattern += last ? ".*" : ".*?";
      } else if (part.kind == Part::Kind::text) {
        pattern += "(?:" + part.text + ")";
        group += regex_groups(part.text);
      } else {
        groups.push_back(++group);
        pattern += "(" + std::string(type_pattern(part.type)) + ")" + (last ? "$" : "");
      }
      continue;
    }
    if (i > 0 && part.kind == op.parts[i - 1].kind && part.kind != Part::Kind::text) {
      return diagnose(code::kUnsupported, part.kind == Part::Kind::column ? part.name.span : span,
                      "two columns of a pattern without a text between them");
    }
    pattern += part.kind == Part::Kind::star   ? "*"
               : part.kind == Part::Kind::text ? "t" + std::to_string(part.text.size()) + ":" + part.text
                                               : std::string("c") + type_letter(part.type);
  }
  if (regex && groups.empty()) return diagnose(code::kUnsupported, span, "a pattern without columns");
  if (regex && *std::ranges::max_element(groups) > 99) return diagnose(code::kLimit, span, "too many groups");
  const auto constant = [](std::string text) { return literal({Type::string, std::move(text)}); };
  const bool strict = op.kind != ast::Parse::Kind::relaxed;
  std::vector<NamedExpr> computed;
  Scope out = relation.columns;
  Scope fresh;
  ExprPtr matched;
  if (regex) {
    matched = call("matches", Type::boolean, {value, constant(pattern)}, false);
  } else {
    matched =
        call("is_not_null", Type::boolean,
             {call("parse_part", Type::string,
                   {value, constant((strict ? "s" : "r") + pattern), literal({Type::int64, std::int64_t{-1}})}, true)},
             false);
  }
  std::size_t column = 0;
  for (const auto& part : op.parts) {
    if (part.kind != Part::Kind::column) continue;
    ExprPtr text;
    if (regex) {
      text = call("extract", Type::string,
                  {constant(pattern), literal({Type::int64, static_cast<std::int64_t>(groups[column])}), value});
    } else {
      text = call("or_empty", Type::string,
                  {call("parse_part", Type::string,
                        {value, constant((strict ? "s" : "r") + pattern),
                         literal({Type::int64, static_cast<std::int64_t>(column)})},
                        true)});
    }
    ++column;
    if (part.type == Type::dynamic) {
      text = call("parse_json", Type::dynamic, {std::move(text)});
    } else {
      text = convert(text, part.type);
    }
    const auto defined = define(part.name.text, text, computed);
    TRY_VOID(add_column(fresh, defined, part.name.span));
    const auto same = std::ranges::find(out, part.name.text, &ScopeColumn::name);
    if (same != out.end()) {
      *same = defined;
    } else {
      TRY_VOID(add_column(out, defined, part.name.span));
    }
  }
  if (op.where) {
    TRY(relation.node, make_node(Filter{std::move(relation.node), std::move(matched)}, span));
  }
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  relation.columns = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::ParseKv& op, Span span) {
  TRY(auto value, bind_in(relation.columns, *op.value));
  if (value->type != Type::string && value->type != Type::dynamic) {
    return diagnose(code::kType, op.value->span, "'parse-kv' reads strings");
  }
  value = convert(value, Type::string);
  std::string pair;
  std::string between;
  std::string quote;
  for (const auto& [name, text] : op.options) {
    if (name.text == "pair_delimiter") {
      pair = text;
    } else if (name.text == "kv_delimiter") {
      between = text;
    } else if (name.text == "quote") {
      quote = text;
    } else {
      return diagnose(code::kUnsupported, name.span, "the option '" + name.text + "' of 'parse-kv'");
    }
  }
  if (pair.empty() || between.empty()) {
    return diagnose(code::kUnsupported, span, "'parse-kv' without pair_delimiter and kv_delimiter");
  }
  const auto constant = [](std::string text) { return literal({Type::string, std::move(text)}); };
  std::vector<NamedExpr> computed;
  Scope out = relation.columns;
  Scope fresh;
  for (const auto& [name, type] : op.columns) {
    ExprPtr text = call("or_empty", Type::string,
                        {call("parse_kv", Type::string,
                              {value, constant(name.text), constant(pair), constant(between), constant(quote)}, true)});
    text = type == Type::dynamic ? call("parse_json", Type::dynamic, {std::move(text)}) : convert(text, type);
    const auto defined = define(name.text, text, computed);
    TRY_VOID(add_column(fresh, defined, name.span));
    const auto same = std::ranges::find(out, name.text, &ScopeColumn::name);
    if (same != out.end()) {
      *same = defined;
    } else {
      TRY_VOID(add_column(out, defined, name.span));
    }
  }
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  relation.columns = std::move(out);
  return {};
}

}  // namespace picket::kql
