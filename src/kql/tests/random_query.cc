#include "random_query.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace picket::kql::testing {

namespace {

std::string row_text(const Row& row) {
  std::string out;
  for (const auto& cell : row) out += (out.empty() ? "" : " | ") + cell_text(cell);
  return out;
}

bool is_true(const Cell& cell) { return !is_null(cell) && std::get<bool>(cell); }

}  // namespace

RandomQuery::RandomQuery(std::uint64_t seed) : dice_(seed) {
  table_ = random_table("T");
  lets_ = "let T = " + table_text_ + ";\n";
  other_ = random_table("U");
  lets_ += "let U = " + table_text_ + ";\n";
  query_ = "T";
  const auto steps = 1 + dice_.roll(5);
  for (std::size_t i = 0; i < steps; ++i) {
    step();
    if (table_.rows.size() > 200) top();
  }
}

std::string RandomQuery::query() const { return lets_ + query_; }

std::vector<std::string> RandomQuery::rows() const {
  std::vector<std::string> out;
  for (const auto& row : table_.rows) out.push_back(row_text(row));
  std::ranges::sort(out);
  return out;
}

void RandomQuery::step() {
  using Step = void (RandomQuery::*)();
  static constexpr std::array kSteps = {&RandomQuery::where,
                                        &RandomQuery::where,
                                        &RandomQuery::extend,
                                        &RandomQuery::project,
                                        &RandomQuery::summarize,
                                        &RandomQuery::distinct,
                                        &RandomQuery::top,
                                        &RandomQuery::join,
                                        &RandomQuery::join,
                                        &RandomQuery::expand,
                                        &RandomQuery::summarize_all,
                                        &RandomQuery::count_rows,
                                        &RandomQuery::window,
                                        &RandomQuery::window,
                                        &RandomQuery::parse,
                                        &RandomQuery::make_series,
                                        &RandomQuery::unite,
                                        &RandomQuery::apply_each,
                                        &RandomQuery::partition,
                                        &RandomQuery::call_function,
                                        &RandomQuery::call_function,
                                        &RandomQuery::summarize_lists,
                                        &RandomQuery::rename_columns,
                                        &RandomQuery::lookup,
                                        &RandomQuery::call_table_function};
  (this->*static_cast<Step>(kSteps[dice_.roll(kSteps.size())]))();
}

void RandomQuery::sort() {
  query_ += "\n| sort by ";
  for (std::size_t i = 0; i < table_.columns.size(); ++i) {
    query_ += (i > 0 ? ", " : "") + table_.columns[i].name + (i % 2 == 0 ? " asc" : " desc");
  }
  std::ranges::sort(table_.rows, [](const Row& x, const Row& y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] != y[i]) return i % 2 == 0 ? x[i] < y[i] : x[i] > y[i];  // null is the smallest of all
    }
    return false;
  });
}

/// A column of this sort, made if there is none.
std::size_t RandomQuery::index_of(Sort sort) {
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < table_.columns.size(); ++i) {
    if (table_.columns[i].sort == sort) fitting.push_back(i);
  }
  if (!fitting.empty()) return fitting[dice_.roll(fitting.size())];
  const auto value = random_expression(dice_, table_.columns, sort, 1);
  table_.columns.push_back({fresh(), sort});
  query_ += "\n| extend " + table_.columns.back().name + " = " + value.text;
  for (auto& row : table_.rows) row.push_back(value.value(row));
  return table_.columns.size() - 1;
}

std::string RandomQuery::renamed_other(RandomTable& out) {
  out = other_;
  std::string text = "U | project ";
  for (std::size_t i = 0; i < out.columns.size(); ++i) {
    const auto name = fresh();
    text += (i > 0 ? ", " : "") + name + " = " + out.columns[i].name;
    out.columns[i].name = name;
  }
  return text;
}

RandomTable RandomQuery::random_table(const std::string& prefix) {
  RandomTable out;
  out.columns = {{"a", Sort::whole}, {"b", Sort::whole}, {"s", Sort::text}, {prefix == "T" ? "p" : "q", Sort::text}};
  table_text_ = "datatable(a:long, b:long, s:string, " + out.columns[3].name + ":string)[";
  const auto rows = dice_.roll(8);
  for (std::size_t i = 0; i < rows; ++i) {
    Row row;
    for (const auto& column : out.columns) {
      row.push_back(random_expression(dice_, {}, column.sort, 0).value({}));
      table_text_ += cell_literal(row.back(), column.sort) + ", ";
    }
    out.rows.push_back(std::move(row));
  }
  table_text_ += "]";
  return out;
}

void RandomQuery::where() {
  const auto condition = expression(Sort::truth, 3);
  query_ += "\n| where " + condition.text;
  std::erase_if(table_.rows, [&](const Row& row) { return !is_true(condition.value(row)); });
}

void RandomQuery::extend() {
  const auto sort = dice_.chance(2) ? Sort::whole : Sort::text;
  const auto value = expression(sort, 3);
  const auto name = fresh();
  query_ += "\n| extend " + name + " = " + value.text;
  for (auto& row : table_.rows) row.push_back(value.value(row));
  table_.columns.push_back({name, sort});
}

void RandomQuery::project() {
  std::vector<RandomExpression> values;
  RandomTable out;
  for (const auto sort : {Sort::whole, Sort::text, Sort::whole}) {
    values.push_back(expression(sort, 2));
    out.columns.push_back({fresh(), sort});
    query_ += (values.size() == 1 ? "\n| project " : ", ") + out.columns.back().name + " = " + values.back().text;
  }
  for (const auto& row : table_.rows) {
    Row next;
    for (const auto& value : values) next.push_back(value.value(row));
    out.rows.push_back(std::move(next));
  }
  table_ = std::move(out);
}

void RandomQuery::summarize() {
  const auto key = expression(dice_.chance(2) ? Sort::whole : Sort::text, 1);
  const auto value = expression(Sort::whole, 1);
  const auto text = expression(Sort::text, 1);
  const auto condition = expression(Sort::truth, 2);
  RandomTable out;
  out.columns = {{fresh(), key.sort},    {fresh(), Sort::whole}, {fresh(), Sort::whole}, {fresh(), Sort::whole},
                 {fresh(), Sort::whole}, {fresh(), Sort::whole}, {fresh(), Sort::text}};
  const auto name = [&](std::size_t i) { return out.columns[i].name + " = "; };
  query_ += "\n| summarize " + name(1) + "count(), " + name(2) + "sum(" + value.text + "), " + name(3) + "max(" +
            value.text + "), " + name(4) + "countif(" + condition.text + "), " + name(5) + "dcount(" + text.text +
            "), " + name(6) + "min(" + text.text + ") by " + name(0) + key.text;
  std::map<Cell, std::vector<const Row*>> groups;
  for (const auto& row : table_.rows) groups[key.value(row)].push_back(&row);
  for (const auto& [group, rows] : groups) {
    std::int64_t sum = 0;
    std::int64_t found = 0;
    Cell most;
    std::set<std::string> texts;
    for (const auto* row : rows) {
      const auto cell = value.value(*row);
      if (!is_null(cell)) {
        sum += std::get<std::int64_t>(cell);
        if (is_null(most) || cell > most) most = cell;
      }
      if (is_true(condition.value(*row))) ++found;
      texts.insert(std::get<std::string>(text.value(*row)));
    }
    out.rows.push_back({group, static_cast<std::int64_t>(rows.size()), sum, most, found,
                        static_cast<std::int64_t>(texts.size()), *texts.begin()});
  }
  table_ = std::move(out);
}

void RandomQuery::distinct() {
  query_ += "\n| distinct *";
  std::ranges::sort(table_.rows);
  table_.rows.erase(std::ranges::unique(table_.rows).begin(), table_.rows.end());
}

void RandomQuery::top() {
  const auto count = dice_.roll(5);
  sort();
  query_ += "\n| take " + std::to_string(count);
  if (table_.rows.size() > count) table_.rows.resize(count);
}

/// On one key or on two, of all kinds. innerunique keeps any one of the left rows with equal keys: here the left side
/// has only its keys then, so that it does not matter which.
void RandomQuery::join() {
  if (++joins_ > 2) return distinct();
  static const std::vector<std::string> kKinds = {"inner",     "leftouter",  "leftanti",  "leftsemi",   "rightanti",
                                                  "fullouter", "rightouter", "rightsemi", "innerunique"};
  const auto kind = kKinds[dice_.roll(kKinds.size())];
  std::vector<std::size_t> keys = {index_of(Sort::whole)};
  if (dice_.chance(2)) keys.push_back(index_of(Sort::text));
  if (kind == "innerunique") {
    RandomTable only;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      only.columns.push_back(table_.columns[keys[i]]);
      query_ += (i == 0 ? "\n| project " : ", ") + only.columns.back().name;
    }
    std::set<Row> rows;
    for (const auto& row : table_.rows) {
      Row next;
      for (const auto at : keys) next.push_back(row[at]);
      rows.insert(std::move(next));
    }
    only.rows.assign(rows.begin(), rows.end());
    table_ = std::move(only);
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i;
  }
  const std::vector<std::size_t> right_keys = {0, 2};
  RandomTable right;
  query_ += "\n| join kind=" + kind + " (" + renamed_other(right) + ") on ";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    query_ += (i > 0 ? ", " : "") + std::string("$left.") + table_.columns[keys[i]].name + " == $right." +
              right.columns[right_keys[i]].name;
  }
  RandomTable out;
  const bool left_only = kind == "leftanti" || kind == "leftsemi";
  const bool right_only = kind == "rightanti" || kind == "rightsemi";
  if (!right_only) out.columns = table_.columns;
  if (!left_only) out.columns.insert(out.columns.end(), right.columns.begin(), right.columns.end());
  const auto padding = [](const std::vector<TypedColumn>& columns) {
    Row row;
    for (const auto& column : columns) row.push_back(column.sort == Sort::text ? Cell(std::string()) : Cell());
    return row;
  };
  const auto add = [&](Row left, const Row& other) {
    left.insert(left.end(), other.begin(), other.end());
    out.rows.push_back(std::move(left));
  };
  std::vector<bool> met(right.rows.size());
  for (const auto& row : table_.rows) {
    bool found = false;
    for (std::size_t i = 0; i < right.rows.size(); ++i) {
      bool same = true;  // null meets null
      for (std::size_t k = 0; k < keys.size(); ++k) same = same && row[keys[k]] == right.rows[i][right_keys[k]];
      if (!same) continue;
      found = true;
      met[i] = true;
      if (!left_only && !right_only) add(row, right.rows[i]);
    }
    if (left_only && found == (kind == "leftsemi")) out.rows.push_back(row);
    if (!found && (kind == "leftouter" || kind == "fullouter")) add(row, padding(right.columns));
  }
  for (std::size_t i = 0; i < met.size(); ++i) {
    if (right_only && met[i] == (kind == "rightsemi")) out.rows.push_back(right.rows[i]);
    if (!met[i] && (kind == "fullouter" || kind == "rightouter")) add(padding(table_.columns), right.rows[i]);
  }
  table_ = std::move(out);
}

/// An array of two numbers for each row, expanded.
void RandomQuery::expand() {
  const auto first = expression(Sort::whole, 1);
  const auto second = expression(Sort::whole, 1);
  const auto name = fresh();
  query_ += "\n| mv-expand " + name + " = pack_array(" + first.text + ", " + second.text + ") to typeof(long)";
  RandomTable out{table_.columns, {}};
  out.columns.push_back({name, Sort::whole});
  for (const auto& row : table_.rows) {
    for (const auto& value : {first.value(row), second.value(row)}) {
      out.rows.push_back(row);
      out.rows.back().push_back(value);
    }
  }
  table_ = std::move(out);
}

}  // namespace picket::kql::testing
