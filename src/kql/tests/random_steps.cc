// The steps of random queries that are more than a row at a time: groups, windows, series, functions.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "random_query.h"

namespace picket::kql::testing {

namespace {

bool is_true(const Cell& cell) { return !is_null(cell) && std::get<bool>(cell); }

}  // namespace

/// Of the whole table: one row, also of no rows.
void RandomQuery::summarize_all() {
  const auto value = expression(Sort::whole, 1);
  const auto text = expression(Sort::text, 1);
  const auto condition = expression(Sort::truth, 1);
  RandomTable out;
  for (const auto sort : {Sort::whole, Sort::whole, Sort::whole, Sort::whole, Sort::text, Sort::text, Sort::whole}) {
    out.columns.push_back({fresh(), sort});
  }
  const auto name = [&](std::size_t i) { return (i == 0 ? "" : ", ") + out.columns[i].name + " = "; };
  query_ += "\n| summarize " + name(0) + "count()" + name(1) + "sumif(" + value.text + ", " + condition.text + ")" +
            name(2) + "min(" + value.text + ")" + name(3) + "dcountif(" + value.text + ", " + condition.text + ")" +
            name(4) + "max(" + text.text + ")" + name(5) + "tostring(array_sort_asc(make_set(" + value.text + ")))" +
            name(6) + "percentile(" + value.text + ", 50)";
  std::int64_t sum = 0;
  Cell least;
  std::set<Cell> counted;
  std::string most;
  std::set<std::int64_t> set;
  std::vector<std::int64_t> all;
  for (const auto& row : table_.rows) {
    const auto cell = value.value(row);
    const bool chosen = is_true(condition.value(row));
    most = std::max(most, std::get<std::string>(text.value(row)));
    if (is_null(cell)) continue;
    if (chosen) sum += std::get<std::int64_t>(cell);
    if (chosen) counted.insert(cell);
    if (is_null(least) || cell < least) least = cell;
    set.insert(std::get<std::int64_t>(cell));
    all.push_back(std::get<std::int64_t>(cell));
  }
  std::ranges::sort(all);
  std::string list;
  for (const auto one : set) list += (list.empty() ? "" : ",") + std::to_string(one);
  // The nearest rank: the first value that at least half of them do not exceed.
  const Cell median = all.empty() ? Cell() : Cell(all[(all.size() + 1) / 2 - 1]);
  out.rows.push_back({static_cast<std::int64_t>(table_.rows.size()), sum, least,
                      static_cast<std::int64_t>(counted.size()), most, "[" + list + "]", median});
  table_ = std::move(out);
}

/// Lists in the order of the rows, by a bin.
void RandomQuery::summarize_lists() {
  sort();
  const auto value = expression(Sort::whole, 1);
  const auto key = expression(Sort::whole, 1);
  RandomTable out;
  out.columns = {{fresh(), Sort::whole}, {fresh(), Sort::text}, {fresh(), Sort::whole}};
  query_ += "\n| summarize " + out.columns[1].name + " = tostring(make_list(" + value.text + ")), " +
            out.columns[2].name + " = array_length(make_list_with_nulls(" + value.text + ")) by " +
            out.columns[0].name + " = bin(" + key.text + ", 3)";
  std::map<Cell, std::vector<Cell>> groups;
  for (const auto& row : table_.rows) {
    auto cell = key.value(row);
    if (!is_null(cell)) {
      const auto whole = std::get<std::int64_t>(cell);
      cell = whole - ((whole % 3) + 3) % 3;
    }
    groups[cell].push_back(value.value(row));
  }
  for (const auto& [group, cells] : groups) {
    std::string list;
    for (const auto& cell : cells) {
      if (!is_null(cell)) list += (list.empty() ? "" : ",") + cell_text(cell);
    }
    out.rows.push_back({group, "[" + list + "]", static_cast<std::int64_t>(cells.size())});
  }
  table_ = std::move(out);
}

void RandomQuery::rename_columns() {
  const auto at = dice_.roll(table_.columns.size());
  const auto name = fresh();
  query_ += "\n| project-rename " + name + " = " + table_.columns[at].name;
  table_.columns[at].name = name;
  if (table_.columns.size() < 3) return;
  const auto away = dice_.roll(table_.columns.size());
  query_ += "\n| project-away " + table_.columns[away].name;
  table_.columns.erase(table_.columns.begin() + static_cast<std::ptrdiff_t>(away));
  for (auto& row : table_.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(away));
}

void RandomQuery::count_rows() {
  const auto name = fresh();
  query_ += "\n| count as " + name;
  table_ = {{{name, Sort::whole}}, {{static_cast<std::int64_t>(table_.rows.size())}}};
}

/// Neighbours and running sums over rows that are sorted by all their columns.
void RandomQuery::window() {
  const auto whole = index_of(Sort::whole);
  const auto text = index_of(Sort::text);
  sort();
  const auto& value = table_.columns[whole].name;
  const std::vector<std::string> names = {fresh(), fresh(), fresh(), fresh()};
  query_ += "\n| extend " + names[0] + " = prev(" + value + "), " + names[1] + " = next(" + table_.columns[text].name +
            ", 2), " + names[2] + " = row_number(), " + names[3] + " = row_cumsum(" + value + ", " +
            table_.columns[text].name + " != prev(" + table_.columns[text].name + "))";
  const auto before = table_.rows;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    // The first row has no neighbour before it: prev() of a text is the empty one there.
    const Cell previous = i == 0 ? Cell(std::string()) : before[i - 1][text];
    if (before[i][text] != previous) sum = 0;
    if (!is_null(before[i][whole])) sum += std::get<std::int64_t>(before[i][whole]);
    auto& row = table_.rows[i];
    row.push_back(i == 0 ? Cell() : before[i - 1][whole]);
    row.push_back(i + 2 < before.size() ? before[i + 2][text] : Cell(std::string()));
    row.push_back(static_cast<std::int64_t>(i + 1));
    row.push_back(sum);
  }
  constexpr std::array kSorts = {Sort::whole, Sort::text, Sort::whole, Sort::whole};
  for (std::size_t i = 0; i < names.size(); ++i) table_.columns.push_back({names[i], kSorts[i]});
}

/// Texts around a mark; without it both are empty, and parse-where drops the row.
void RandomQuery::parse() {
  const auto text = index_of(Sort::text);
  static const std::vector<std::string> kMarks = {"a", " ", "b", "é"};
  const auto mark = kMarks[dice_.roll(kMarks.size())];
  const bool where = dice_.chance(2);
  const std::string head = fresh();
  const std::string tail = fresh();
  query_ += "\n| parse" + std::string(where ? "-where " : " ") + table_.columns[text].name + " with " + head + " \"" +
            mark + "\" " + tail;
  std::vector<Row> rows;
  for (auto& row : table_.rows) {
    const auto whole = std::get<std::string>(row[text]);
    const auto at = whole.find(mark);
    if (at == std::string::npos && where) continue;
    row.push_back(at == std::string::npos ? std::string() : whole.substr(0, at));
    row.push_back(at == std::string::npos ? std::string() : whole.substr(at + mark.size()));
    rows.push_back(std::move(row));
  }
  table_.rows = std::move(rows);
  table_.columns.push_back({head, Sort::text});
  table_.columns.push_back({tail, Sort::text});
}

/// Counts by bins of a number, for each text, with nothing where there are no rows.
void RandomQuery::make_series() {
  const auto whole = index_of(Sort::whole);
  const auto text = index_of(Sort::text);
  const auto axis = table_.columns[whole].name;
  const auto key = table_.columns[text].name;
  const auto count = fresh();
  const auto bins = fresh();
  query_ += "\n| where " + axis + " between (0 .. 5)\n| make-series " + count + " = count() default=-1 on " + axis +
            " from 0 to 6 step 2 by " + key + "\n| mv-expand " + count + " to typeof(long), " + axis +
            " to typeof(long)\n| project " + key + ", " + count + ", " + bins + " = " + axis;
  std::map<Cell, std::map<std::int64_t, std::int64_t>> counts;
  for (const auto& row : table_.rows) {
    if (is_null(row[whole])) continue;
    const auto at = std::get<std::int64_t>(row[whole]);
    if (at < 0 || at > 5) continue;
    ++counts[row[text]][at - at % 2];
  }
  RandomTable out{{{key, Sort::text}, {count, Sort::whole}, {bins, Sort::whole}}, {}};
  for (auto& [group, found] : counts) {
    for (const std::int64_t bin : {0, 2, 4}) {
      const auto at = found.find(bin);
      out.rows.push_back({group, at == found.end() ? std::int64_t{-1} : at->second, bin});
    }
  }
  table_ = std::move(out);
}

/// Columns of one name go together, others are padded.
void RandomQuery::unite() {
  const auto whole = index_of(Sort::whole);
  const auto text = index_of(Sort::text);
  const auto source = fresh();
  const auto own = fresh();
  query_ += "\n| as " + fresh() + "_rows | union withsource=" + source + " (U | project " + table_.columns[whole].name +
            " = b, " + own + " = q, " + table_.columns[text].name + " = s)\n| extend " + source + " = strlen(" +
            source + ") > 0\n| project-away " + source;
  for (auto& row : table_.rows) row.emplace_back(std::string());
  table_.columns.push_back({own, Sort::text});
  for (const auto& other : other_.rows) {
    Row row;
    for (const auto& column : table_.columns) row.push_back(column.sort == Sort::text ? Cell(std::string()) : Cell());
    row[whole] = other[1];
    row[text] = other[2];
    row.back() = other[3];
    table_.rows.push_back(std::move(row));
  }
}

/// For each row, over an array of its own.
void RandomQuery::apply_each() {
  const auto first = expression(Sort::whole, 1);
  const auto second = expression(Sort::whole, 1);
  const auto item = fresh();
  const auto out = fresh();
  query_ += "\n| mv-apply " + item + " = pack_array(" + first.text + ", " + second.text + ", 1) to typeof(long) on (";
  const auto kind = dice_.roll(3);
  if (kind == 0) query_ += "summarize " + out + " = sum(" + item + "))";
  if (kind == 1) query_ += "where " + item + " > 0 | project " + out + " = " + item + " * 2)";
  if (kind == 2) query_ += "top 1 by " + item + " desc nulls last | project " + out + " = " + item + ")";
  std::vector<Row> rows;
  for (const auto& row : table_.rows) {
    const std::vector<Cell> items = {first.value(row), second.value(row), Cell(std::int64_t{1})};
    std::int64_t sum = 0;
    Cell most;
    std::vector<Cell> doubled;
    for (const auto& cell : items) {
      if (is_null(cell)) continue;
      const auto whole = std::get<std::int64_t>(cell);
      sum += whole;
      if (is_null(most) || cell > most) most = cell;
      if (whole > 0) doubled.emplace_back(whole * 2);
    }
    if (kind != 1) doubled = {kind == 0 ? Cell(sum) : most};
    for (const auto& value : doubled) {
      rows.push_back(row);
      rows.back().push_back(value);
    }
  }
  table_.rows = std::move(rows);
  table_.columns.push_back({out, Sort::whole});
}

void RandomQuery::partition() {
  const auto text = index_of(Sort::text);
  const auto key = table_.columns[text].name;
  const auto value = expression(Sort::whole, 1);
  const RandomTable out{{{fresh(), Sort::text}, {fresh(), Sort::whole}, {fresh(), Sort::whole}}, {}};
  query_ += "\n| partition by " + key + " (summarize " + out.columns[0].name + " = take_any(" + key + "), " +
            out.columns[1].name + " = count(), " + out.columns[2].name + " = max(" + value.text + "))";
  std::map<Cell, Row> groups;
  for (const auto& row : table_.rows) {
    auto& group = groups.try_emplace(row[text], Row{row[text], std::int64_t{0}, Cell()}).first->second;
    group[1] = std::get<std::int64_t>(group[1]) + 1;
    const auto cell = value.value(row);
    if (!is_null(cell) && (is_null(group[2]) || cell > group[2])) group[2] = cell;
  }
  table_ = out;
  for (auto& [key_cell, row] : groups) table_.rows.push_back(std::move(row));
}

/// A function of the query with two parameters, one with a default.
void RandomQuery::call_function() {
  const auto sort = dice_.chance(2) ? Sort::whole : Sort::text;
  const std::vector<TypedColumn> parameters = {{fresh(), Sort::whole}, {fresh(), Sort::text}};
  const auto body = random_expression(dice_, parameters, sort, 2);
  const auto whole = expression(Sort::whole, 2);
  const auto text = expression(Sort::text, 2);
  const bool omitted = dice_.chance(3);
  const auto function = "f" + std::to_string(++names_);
  lets_ += "let " + function + " = (" + parameters[0].name + ":long, " + parameters[1].name + ":string = \"a b\") { " +
           body.text + " };\n";
  const auto name = fresh();
  query_ += "\n| extend " + name + " = " + function + "(" + whole.text + (omitted ? "" : ", " + text.text) + ")";
  for (auto& row : table_.rows) {
    row.push_back(body.value({whole.value(row), omitted ? Cell(std::string("a b")) : text.value(row)}));
  }
  table_.columns.push_back({name, sort});
}

/// A function that takes the table and a number.
void RandomQuery::call_table_function() {
  const auto whole = index_of(Sort::whole);
  const auto least = static_cast<std::int64_t>(dice_.roll(5)) - 2;
  const auto function = "g" + std::to_string(++names_);
  const auto column = table_.columns[whole].name;
  lets_ +=
      "let " + function + " = (rows:(" + column + ":long), least:long) { rows | where " + column + " >= least };\n";
  query_ += "\n| invoke " + function + "(" + std::to_string(least) + ")";
  std::erase_if(table_.rows,
                [&](const Row& row) { return is_null(row[whole]) || std::get<std::int64_t>(row[whole]) < least; });
}

/// The other table's rows beside these, its key left out.
void RandomQuery::lookup() {
  if (++joins_ > 2) return distinct();
  const auto key = index_of(Sort::whole);
  const bool inner = dice_.chance(2);
  RandomTable right;
  query_ += "\n| lookup kind=" + std::string(inner ? "inner" : "leftouter") + " (" + renamed_other(right) +
            ") on $left." + table_.columns[key].name + " == $right." + right.columns[0].name;
  std::vector<Row> rows;
  for (const auto& row : table_.rows) {
    bool found = false;
    for (const auto& other : right.rows) {
      if (row[key] != other[0]) continue;
      found = true;
      rows.push_back(row);
      rows.back().insert(rows.back().end(), other.begin() + 1, other.end());
    }
    if (found || inner) continue;
    rows.push_back(row);
    for (std::size_t i = 1; i < right.columns.size(); ++i) {
      rows.back().push_back(right.columns[i].sort == Sort::text ? Cell(std::string()) : Cell());
    }
  }
  table_.columns.insert(table_.columns.end(), right.columns.begin() + 1, right.columns.end());
  table_.rows = std::move(rows);
}

}  // namespace picket::kql::testing
