// Stored tables: their parts, promoted keys as columns of them, the conditions right above, the times that matter.
#include <algorithm>

#include "duckdb_writer.h"
#include "kql/schema.h"

namespace picket::kql {

namespace {

constexpr ColumnId kFirstComputed = 1'000'000'000;  // no plan has so many columns

std::string column_name(ColumnId column) { return "c" + std::to_string(column); }

std::string stored_name(ColumnId column) { return "r" + std::to_string(column); }

bool has_parameters(const Expr& expr) {
  return expr.kind == Expr::Kind::literal || expr.table != nullptr ||
         std::ranges::any_of(expr.args, [](const ExprPtr& arg) { return has_parameters(*arg); });
}

std::string sql_of(const Scan::Field& field, const TablePart* part) {
  if (part == nullptr) return field.sql;
  const auto here = part->expressions.find(field.sql);
  return here == part->expressions.end() ? field.sql : here->second;
}

Mask mask_of(const Scan::Field& field, const TablePart* part) {
  if (part == nullptr) return field.mask;
  const auto here = part->masks.find(field.sql);
  return here == part->masks.end() ? field.mask : here->second;
}

std::optional<std::int64_t> time_of(const Expr& expr) {
  const auto* us = expr.kind == Expr::Kind::literal ? std::get_if<std::int64_t>(&expr.value.data) : nullptr;
  return us != nullptr && expr.type == Type::datetime ? std::optional(*us) : std::nullopt;
}

}  // namespace

std::string DuckdbWriter::node(const Scan& scan, const Needed& needed) {
  note_times(scan);
  if (!scan.parts) return define(part(scan, nullptr, needed));
  std::string out;
  for (const auto& one : *scan.parts) out += (out.empty() ? "" : " UNION ALL ") + part(scan, &one, needed);
  return define(std::move(out));
}

std::string DuckdbWriter::part(const Scan& scan, const TablePart* part, const Needed& needed) {
  std::string columns;
  const auto add = [&](ColumnId column, const std::string& sql, bool null_is_empty) {
    const auto value = null_is_empty ? "coalesce(" + sql + ", '')" : sql;
    columns += (columns.empty() ? "" : ", ") + value + " AS " + column_name(column);
    if (null_is_empty && stored_.contains(column)) columns += ", " + sql + " AS " + stored_name(column);
  };
  for (const auto& field : scan.fields) {
    if (needed.contains(field.column)) add(field.column, sql_of(field, part), field.null_is_empty);
  }
  for (const auto& [text, key] : computed_) {
    if (!needed.contains(key.column)) continue;
    const bool ours = std::ranges::find(scan.fields, key.exact, &Scan::Field::column) != scan.fields.end();
    if (ours) add(key.column, computed_text(scan, part, key), key.null_is_empty);
  }
  return "SELECT " + (columns.empty() ? "1 AS none" : columns) + " FROM " + (part == nullptr ? scan.sql : part->sql);
}

std::string DuckdbWriter::computed_text(const Scan& scan, const TablePart* part, const Computed& computed) {
  std::map<ColumnId, std::string> columns;
  Mask mask;
  for (const auto& field : scan.fields) {
    const auto sql = sql_of(field, part);
    columns.emplace(field.column, field.null_is_empty ? "coalesce(" + sql + ", '')" : sql);
    if (field.column == computed.exact) mask = mask_of(field, part);
  }
  inline_ = &columns;
  const auto exact = columns.at(computed.exact);
  const auto promoted = value(*computed.promoted);
  const auto fallback = computed.null_is_empty ? path_text(*computed.fallback) : value(*computed.fallback);
  inline_ = nullptr;
  if (exact == "FALSE") return fallback;
  auto sql = "CASE WHEN " + exact + " THEN " + promoted + " ELSE " + fallback + " END";
  if (computed_allowed_ == ComputedColumns::none || mask.bits == 0) return sql;
  ComputedColumn out{part == nullptr ? scan.sql : part->sql, "_k" + std::to_string(computed.column), std::move(sql),
                     promoted, std::move(mask)};
  auto name = "\"" + out.name + "\"";
  const bool known = std::ranges::any_of(
      asked_, [&](const ComputedColumn& one) { return one.relation == out.relation && one.name == out.name; });
  if (!known) asked_.push_back(std::move(out));
  return name;
}

const DuckdbWriter::Computed* DuckdbWriter::computed(const Expr& expr) {
  if (inline_ != nullptr || expr.kind != Expr::Kind::call || expr.op != "if_exact") return nullptr;
  if (const auto known = computed_of_.find(&expr); known != computed_of_.end()) return known->second;
  const auto& exact = *expr.args[0];
  const Expr* promoted = expr.args[1].get();
  const Expr* fallback = expr.args[2].get();
  if (exact.kind != Expr::Kind::column || has_parameters(*promoted) || has_parameters(*fallback)) {
    return computed_of_[&expr] = nullptr;
  }
  const bool null_is_empty = promoted->kind == Expr::Kind::call && promoted->op == "or_empty" &&
                             fallback->kind == Expr::Kind::call && fallback->op == "convert" &&
                             fallback->type == Type::string && fallback->args[0]->kind == Expr::Kind::path;
  if (null_is_empty) {
    promoted = promoted->args[0].get();
    fallback = fallback->args[0].get();
  }
  const bool stored = std::exchange(read_stored_, false);
  const auto text = column_name(exact.column) + (null_is_empty ? " or '' " : " ") + value(*promoted) + " " +
                    (null_is_empty ? path_text(*fallback) : value(*fallback));
  read_stored_ = stored;
  const auto id = static_cast<ColumnId>(kFirstComputed + computed_.size());
  const auto [at, fresh] = computed_.try_emplace(text, Computed{id, exact.column, promoted, fallback, null_is_empty});
  return computed_of_[&expr] = &at->second;
}

// --- conditions

std::string DuckdbWriter::node(const Filter& filter, const Needed& needed) {
  narrow(*filter.predicate);
  if (const auto* extend = std::get_if<Extend>(&filter.input->op)) {
    Needed named;
    collect(*filter.predicate, named);
    const bool above =
        std::ranges::any_of(extend->columns, [&](const NamedExpr& one) { return named.contains(one.column); });
    // What does not look at the new columns comes before them, nearer to the table.
    if (!above) {
      const auto below = std::make_shared<const Node>(Node{Filter{extend->input, filter.predicate}});
      return node(Extend{below, extend->columns}, needed);
    }
  }
  std::vector<ExprPtr> predicates{filter.predicate};
  const NodePtr* base = &filter.input;
  for (const Filter* next = nullptr; (next = std::get_if<Filter>(&(*base)->op)) != nullptr; base = &next->input) {
    predicates.push_back(next->predicate);
  }
  if (const auto* scan = std::get_if<Scan>(&(*base)->op)) return filtered_scan(*scan, predicates, needed);
  auto below = needed;
  collect(*filter.predicate, below);
  const auto input = node(filter.input, below);
  return define("SELECT " + list(needed) + " FROM " + input + " WHERE " + condition(*filter.predicate));
}

std::string DuckdbWriter::filtered_scan(const Scan& scan, const std::vector<ExprPtr>& predicates,
                                        const Needed& needed) {
  auto below = needed;
  for (const auto& predicate : predicates) {
    collect(*predicate, below);
    narrow(*predicate);
  }
  Needed stored;
  for (const auto& field : scan.fields) {
    if (field.null_is_empty && below.contains(field.column)) stored.insert(field.column);
  }
  for (const auto& [text, key] : computed_) {
    if (key.null_is_empty && below.contains(key.column)) stored.insert(key.column);
  }
  stored_.swap(stored);
  const auto input = node(scan, below);
  std::string all;
  // The one that stands nearest to the table is the first that the text asked for.
  for (auto one = predicates.rbegin(); one != predicates.rend(); ++one)
    all += (all.empty() ? "" : " AND ") + condition(**one);
  stored_.swap(stored);
  return define("SELECT " + list(needed) + " FROM " + input + " WHERE " + all);
}

// --- times

void DuckdbWriter::narrow(const Expr& predicate) {
  if (predicate.kind != Expr::Kind::call) return;
  const auto& op = predicate.op;
  if (op == "and" || op == "is_true") {
    for (const auto& arg : predicate.args) narrow(*arg);
    return;
  }
  const bool equal = op == "eq";
  if (!equal && op != "gt" && op != "ge" && op != "lt" && op != "le") return;
  const bool turned = predicate.args[1]->kind == Expr::Kind::column;
  const auto& column = *predicate.args[turned ? 1 : 0];
  const auto us = time_of(*predicate.args[turned ? 0 : 1]);
  if (column.kind != Expr::Kind::column || !us) return;
  Times& known = times_[column.column];
  const bool from = equal || op.starts_with('g') != turned;
  const bool to = equal || op.starts_with('l') != turned;
  if (from && (!known.from || *known.from < *us)) known.from = us;
  if (to && (!known.to || *known.to > *us)) known.to = us;
}

void DuckdbWriter::note_times(const Scan& scan) {
  Times here;
  if (scan.time) {
    if (const auto known = times_.find(*scan.time); known != times_.end()) here = known->second;
  }
  if (!std::exchange(scanned_, true)) {
    all_times_ = here;
    return;
  }
  if (!here.from || !all_times_.from || *here.from < *all_times_.from)
    all_times_.from = here.from && all_times_.from ? here.from : std::nullopt;
  if (!here.to || !all_times_.to || *here.to > *all_times_.to)
    all_times_.to = here.to && all_times_.to ? here.to : std::nullopt;
}

}  // namespace picket::kql
