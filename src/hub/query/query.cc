// The clauses around the expressions.
#include "hub/query.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "expression.h"
#include "lexer.h"
#include "parser.h"

namespace picket::hub {
namespace {

std::optional<Aggregate> aggregate_of(std::string_view name) {
  constexpr std::pair<std::string_view, Aggregate> kAggregates[] = {{"count", Aggregate::count},
                                                                    {"avg", Aggregate::avg},
                                                                    {"sum", Aggregate::sum},
                                                                    {"min", Aggregate::min},
                                                                    {"max", Aggregate::max}};
  for (const auto& [text, aggregate] : kAggregates) {
    if (equal_ignoring_case(text, name)) return aggregate;
  }
  return std::nullopt;
}

// FNV-1a: a continuation must not be used with another query by mistake;
// nothing is secret about it.
std::uint64_t fingerprint(std::string_view text) {
  std::uint64_t out = 0xcbf29ce484222325;
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return out;
}

class QueryParser {
 public:
  QueryParser(std::string_view text, std::vector<Token> tokens)
      : text_(text), parser_(text, std::move(tokens), Dialect::twins) {}

  HubResult<Query> run() {
    Query out;
    out.fingerprint = fingerprint(text_);
    if (!parser_.take_word("SELECT")) return parser_.error(fmt::format("expected SELECT, found {}.", parser_.here()));
    QUERY_TRY_VOID(top(out));
    QUERY_TRY_VOID(columns(out));
    QUERY_TRY_VOID(source(out));
    QUERY_TRY_VOID(where(out));
    QUERY_TRY_VOID(group_by(out));
    if (parser_.at_word("ORDER")) return parser_.error("there is no ORDER BY; rows come in the order of their ids.");
    if (parser_.peek().kind != TokenKind::end) {
      return parser_.error(fmt::format("expected WHERE, GROUP BY or the end, found {}.", parser_.here()));
    }
    QUERY_TRY_VOID(check(out));
    return out;
  }

 private:
  HubResult<> top(Query& out) {
    if (!parser_.take_word("TOP")) return {};
    const bool round = parser_.take_symbol("(");
    const Token count = parser_.take();
    std::size_t value = 0;
    const char* const end = count.text.data() + count.text.size();
    const auto [at, failed] = std::from_chars(count.text.data(), end, value);
    if (count.kind != TokenKind::number || failed != std::errc() || at != end || value == 0 || value > kQueryTopMax) {
      return parser_.error_at(count, "TOP needs a whole number from 1 to 1000000.");
    }
    if (round) QUERY_TRY_VOID(parser_.expect_symbol(")", "behind TOP's number"));
    out.top = value;
    return {};
  }

  HubResult<> columns(Query& out) {
    if (parser_.take_symbol("*")) {
      out.star = true;
      return {};
    }
    do {
      if (out.columns.size() == kQueryColumnsMax) return parser_.error("SELECT has more than 100 columns.");
      const Token start = parser_.peek();
      QUERY_TRY(QueryColumn column, this->column());
      const bool taken = std::ranges::find(out.columns, column.alias, &QueryColumn::alias) != out.columns.end();
      if (taken)
        return parser_.error_at(start,
                                fmt::format("two columns have the name '{}'; give one another with AS.", column.alias));
      if (column.expression) out.parts += count_parts(*column.expression);
      out.columns.push_back(std::move(column));
    } while (parser_.take_symbol(","));
    return {};
  }

  HubResult<QueryColumn> column() {
    QueryColumn out;
    const auto aggregate = parser_.peek().kind == TokenKind::name && parser_.at_symbol("(", 1)
                               ? aggregate_of(parser_.peek().text)
                               : std::nullopt;
    if (aggregate) {
      out.alias = lower_case(parser_.take().text);
      out.aggregate = *aggregate;
      parser_.take();
      if (*aggregate == Aggregate::count) {
        if (!parser_.at_symbol(")")) QUERY_TRY_VOID(parser_.expect_symbol("*", "or nothing inside count()"));
      } else {
        QUERY_TRY(Expression inner, parser_.expression());
        out.expression = std::make_shared<const Expression>(std::move(inner));
      }
      QUERY_TRY_VOID(parser_.expect_symbol(")", "to close the aggregate"));
    } else {
      const Token start = parser_.peek();
      QUERY_TRY(Expression inner, parser_.expression());
      if (inner.kind == Expression::Kind::path) out.alias = last_name(inner.path);
      if (out.alias.empty() && !parser_.at_word("AS")) {
        return parser_.error_at(start, "this column has no name of its own; give it one with AS.");
      }
      out.expression = std::make_shared<const Expression>(std::move(inner));
    }
    if (!parser_.take_word("AS")) return out;
    const Token alias = parser_.take();
    if (alias.kind != TokenKind::name && alias.kind != TokenKind::string) {
      return parser_.error_at(alias, "expected a name behind AS.");
    }
    out.alias = alias.text;
    return out;
  }

  static std::string last_name(const FieldPath& path) {
    for (auto step = path.steps.rbegin(); step != path.steps.rend(); ++step) {
      if (!step->index) return step->name;
    }
    return "";
  }

  HubResult<> source(Query& out) {
    if (!parser_.take_word("FROM"))
      return parser_.error(fmt::format("expected ',' or FROM, found {}.", parser_.here()));
    if (!parser_.take_word("devices")) {
      return parser_.error(fmt::format("expected devices, devices.modules or devices.jobs, found {}.", parser_.here()));
    }
    if (!parser_.take_symbol(".")) return {};
    if (parser_.take_word("modules")) {
      out.source = QuerySource::modules;
    } else if (parser_.take_word("jobs")) {
      out.source = QuerySource::jobs;
    } else {
      return parser_.error(fmt::format("expected modules or jobs behind 'devices.', found {}.", parser_.here()));
    }
    return {};
  }

  HubResult<> where(Query& out) {
    if (!parser_.take_word("WHERE")) return {};
    QUERY_TRY(Expression condition, parser_.expression());
    out.parts += count_parts(condition);
    out.where = Condition::of(std::move(condition));
    return {};
  }

  HubResult<> group_by(Query& out) {
    if (!parser_.take_word("GROUP")) return {};
    if (!parser_.take_word("BY"))
      return parser_.error(fmt::format("expected BY behind GROUP, found {}.", parser_.here()));
    do {
      if (out.group_by.size() == kQueryColumnsMax) return parser_.error("GROUP BY has more than 100 paths.");
      QUERY_TRY(FieldPath path, parser_.path());
      out.group_by.push_back(std::move(path));
    } while (parser_.take_symbol(","));
    return {};
  }

  HubResult<> check(const Query& query) {
    if (!query.aggregated()) return {};
    if (query.source == QuerySource::jobs) {
      return hub_fail(kArgumentInvalid,
                      "devices.jobs takes no aggregates and no GROUP BY; select * and count yourself.");
    }
    if (query.star)
      return hub_fail(kArgumentInvalid, "GROUP BY needs columns: the paths it groups by, and aggregates.");
    for (const QueryColumn& column : query.columns) {
      if (column.aggregate != Aggregate::none) continue;
      const bool grouped = column.expression->kind == Expression::Kind::path &&
                           std::ranges::find(query.group_by, column.expression->path) != query.group_by.end();
      if (!grouped) {
        return hub_fail(
            kArgumentInvalid,
            fmt::format("The column '{}' is neither an aggregate nor in GROUP BY; add it there.", column.alias));
      }
    }
    return {};
  }

  std::string_view text_;
  Parser parser_;
};

}  // namespace

HubResult<Query> Query::compile(std::string_view text) {
  QUERY_TRY(auto tokens, tokenize(text));
  return QueryParser(text, std::move(tokens)).run();
}

bool Query::aggregated() const {
  return !group_by.empty() ||
         std::ranges::any_of(columns, [](const QueryColumn& column) { return column.aggregate != Aggregate::none; });
}

std::size_t Query::rows_max() const {
  return std::min(aggregated() ? kQueryRowsMax : kQueryRowsPerPageMax, kQueryWorkMax / parts);
}

std::vector<FieldPath> Query::paths() const {
  std::vector<FieldPath> out = where ? where->paths() : std::vector<FieldPath>();
  for (const QueryColumn& column : columns) {
    if (column.expression) collect_paths(*column.expression, out);
  }
  return out;
}

std::string_view Query::item_type() const {
  if (!star) return "Raw";
  return source == QuerySource::jobs ? "DeviceJob" : "Twin";
}

}  // namespace picket::hub
