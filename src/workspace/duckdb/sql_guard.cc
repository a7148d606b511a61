#include "duckdb/sql_guard.h"

#include <algorithm>
#include <array>

#include <simdjson.h>

namespace picket::workspace {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kNameBytesMax = 128;  // of a column: longer words are none
constexpr std::array<std::string_view, 3> kTableFunctions{"unnest", "range", "generate_series"};
// Catalog views of DuckDB; a common table expression of such a name could be out of scope where the name is used.
constexpr std::array<std::string_view, 4> kReservedPrefixes{"duckdb_", "pg_", "sqlite_", "information_schema"};

std::unexpected<QueryError> refuse(std::string text) {
  return std::unexpected(QueryError{QueryError::Kind::invalid, std::move(text)});
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// DuckDB's names do not regard case, and so must this.
bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool begins_with(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && same_name(name.substr(0, prefix.size()), prefix);
}

std::string_view text_of(dom::object object, std::string_view key) {
  std::string_view out;
  return object[key].get_string().get(out) == simdjson::SUCCESS ? out : std::string_view{};
}

}  // namespace

std::string in_small_letters(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

namespace {

class TreeCheck {
 public:
  explicit TreeCheck(const Schema& schema) : schema_(schema) {}

  void collect_expressions(dom::element element) {
    each(element, [&](dom::object node) {
      dom::array entries;
      if (node["cte_map"]["map"].get_array().get(entries) != simdjson::SUCCESS) return;
      for (dom::element entry : entries) {
        if (dom::object pair; entry.get_object().get(pair) == simdjson::SUCCESS)
          expressions_.insert(in_small_letters(text_of(pair, "key")));
      }
    });
  }

  std::expected<SqlUse, QueryError> check(dom::element element) {
    std::string refused;
    each(element, [&](dom::object node) {
      if (refused.empty()) refused = check_node(node);
    });
    if (!refused.empty()) return refuse(std::move(refused));
    collect_words(element);
    // A name alone may be a whole row.
    if (std::ranges::any_of(rows_, [&](const std::string& name) { return single_names_.contains(name); }))
      use_.all_columns = true;
    return std::move(use_);
  }

 private:
  void collect_words(dom::element element) {
    if (std::string_view text; element.get_string().get(text) == simdjson::SUCCESS) {
      if (text.size() <= kNameBytesMax) use_.words.insert(in_small_letters(text));
    } else if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
      for (dom::element child : array) collect_words(child);
    } else if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
      for (dom::key_value_pair field : object) collect_words(field.value);
    }
  }

  /// Columns that a node means without their names.
  void note_columns(dom::object node, std::string_view type) {
    dom::array names;
    const bool reference = type == "COLUMN_REF" && node["column_names"].get_array().get(names) == simdjson::SUCCESS;
    if (reference && names.size() == 1) {
      if (std::string_view name; names.at(0).get_string().get(name) == simdjson::SUCCESS)
        single_names_.insert(in_small_letters(name));
    }
    if (type == "STAR" || type == "PIVOT" || text_of(node, "ref_type") == "NATURAL") use_.all_columns = true;
    if (type != "BASE_TABLE") return;
    if (dom::array aliases; node["column_name_alias"].get_array().get(aliases) == simdjson::SUCCESS)
      use_.all_columns |= aliases.size() != 0;
    if (const std::string_view alias = text_of(node, "alias"); !alias.empty()) rows_.insert(in_small_letters(alias));
  }

  /// Visits every object; simdjson bounds the depth when it parses.
  template <class Visit>
  static void each(dom::element element, const Visit& visit) {
    if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
      for (dom::element child : array) each(child, visit);
    } else if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
      visit(object);
      for (dom::key_value_pair field : object) each(field.value, visit);
    }
  }

  std::string check_node(dom::object node) {
    const std::string_view type = text_of(node, "type");
    note_columns(node, type);
    if (type == "BASE_TABLE") return check_table(node);
    if (type == "TABLE_FUNCTION") return check_function(node);
    if (type == "SHOW_REF") return "DESCRIBE, SHOW and SUMMARIZE are not allowed";
    return {};
  }

  std::string check_table(dom::object node) {
    const std::string_view name = text_of(node, "table_name");
    if (!text_of(node, "catalog_name").empty() || !text_of(node, "schema_name").empty()) {
      return "table names are not qualified: " + std::string(name);
    }
    for (const std::string& relation : schema_.relations()) {
      if (same_name(relation, name)) {
        use_.relations.insert(relation);
        rows_.insert(in_small_letters(name));
        return {};
      }
    }
    const bool reserved =
        std::ranges::any_of(kReservedPrefixes, [&](auto prefix) { return begins_with(name, prefix); });
    if (!reserved && expressions_.contains(in_small_letters(name))) return {};
    return "there is no table " + std::string(name);
  }

  static std::string check_function(dom::object node) {
    dom::object function;
    if (node["function"].get_object().get(function) != simdjson::SUCCESS) return "unknown table function";
    const std::string_view name = text_of(function, "function_name");
    const bool allowed = std::ranges::any_of(kTableFunctions, [&](auto f) { return same_name(f, name); });
    if (allowed && text_of(function, "catalog").empty() && text_of(function, "schema").empty()) return {};
    return "the table function " + std::string(name) + " is not allowed";
  }

  const Schema& schema_;
  std::set<std::string> expressions_;
  SqlUse use_;
  std::set<std::string> rows_;          // names and aliases of relations
  std::set<std::string> single_names_;  // column references without a dot
};

}  // namespace

bool SqlUse::mentions(std::string_view column) const {
  if (all_columns) return true;
  return words.contains(in_small_letters(column));
}

std::expected<SqlUse, QueryError> check_syntax_tree(std::string_view json, const Schema& schema) {
  dom::parser parser;
  dom::element tree;
  if (parser.parse(json.data(), json.size()).get(tree) != simdjson::SUCCESS)
    return refuse("the query is nested too deeply");
  if (bool error = true; tree["error"].get_bool().get(error) != simdjson::SUCCESS || error) {
    std::string_view text = "not a query";
    (void)tree["error_message"].get_string().get(text);
    return refuse(std::string(text));
  }
  dom::array statements;
  if (tree["statements"].get_array().get(statements) != simdjson::SUCCESS || statements.size() != 1) {
    return refuse("a query is one statement");
  }
  TreeCheck check(schema);
  check.collect_expressions(tree);
  return check.check(tree);
}

std::expected<SqlUse, QueryError> check_sql(const Connection& connection, const std::string& sql,
                                            const Schema& schema) {
  if (sql.size() > kSqlBytesMax) return refuse("the query is longer than 1 MiB");
  if (sql.find('\0') != std::string::npos) return refuse("the query holds a zero byte");
  const auto tree = texts_of(connection, "SELECT json_serialize_sql(" + quote_text(sql) + ")", "workspace.query.parse");
  if (!tree) return refuse(tree.error().text);
  if (tree->size() != 1) return refuse("not a query");
  return check_syntax_tree(tree->front(), schema);
}

}  // namespace picket::workspace
