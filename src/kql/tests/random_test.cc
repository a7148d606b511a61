// Random valid queries against a slow, obvious evaluation of each of their steps (random_expression.h).
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "duckdb_runner.h"
#include "random_expression.h"

namespace picket::kql::testing {

namespace {

std::string row_text(const Row& row) {
  std::string out;
  for (const auto& cell : row) out += (out.empty() ? "" : " | ") + cell_text(cell);
  return out;
}

bool is_true(const Cell& cell) { return !is_null(cell) && std::get<bool>(cell); }

/// A query and the table it must give.
class RandomQuery {
 public:
  explicit RandomQuery(std::uint64_t seed) : dice_(seed) {
    table_ = random_table("T");
    query_ = "let T = " + table_text_ + ";\n";
    other_ = random_table("U");
    query_ += "let U = " + table_text_ + ";\nT";
    const auto steps = 1 + dice_.roll(5);
    for (std::size_t i = 0; i < steps; ++i) step();
  }

  [[nodiscard]] const std::string& query() const { return query_; }
  [[nodiscard]] std::vector<std::string> rows() const {
    std::vector<std::string> out;
    for (const auto& row : table_.rows) out.push_back(row_text(row));
    std::ranges::sort(out);
    return out;
  }

 private:
  RandomTable random_table(const std::string& prefix) {
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

  std::string fresh() { return "c" + std::to_string(++names_); }

  void step() {
    switch (dice_.roll(9)) {
      case 0:
      case 1:
        return where();
      case 2:
        return extend();
      case 3:
        return project();
      case 4:
        return summarize();
      case 5:
        return distinct();
      case 6:
        return top();
      case 7:
        return join();
      default:
        return expand();
    }
  }

  void where() {
    const auto condition = random_expression(dice_, table_.columns, Sort::truth, 3);
    query_ += "\n| where " + condition.text;
    std::erase_if(table_.rows, [&](const Row& row) { return !is_true(condition.value(row)); });
  }

  void extend() {
    const auto sort = dice_.chance(2) ? Sort::whole : Sort::text;
    const auto value = random_expression(dice_, table_.columns, sort, 3);
    const auto name = fresh();
    query_ += "\n| extend " + name + " = " + value.text;
    for (auto& row : table_.rows) row.push_back(value.value(row));
    table_.columns.push_back({name, sort});
  }

  void project() {
    std::vector<RandomExpression> values;
    RandomTable out;
    for (const auto sort : {Sort::whole, Sort::text, Sort::whole}) {
      values.push_back(random_expression(dice_, table_.columns, sort, 2));
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

  void summarize() {
    const auto key = random_expression(dice_, table_.columns, dice_.chance(2) ? Sort::whole : Sort::text, 1);
    const auto value = random_expression(dice_, table_.columns, Sort::whole, 1);
    const auto text = random_expression(dice_, table_.columns, Sort::text, 1);
    const auto condition = random_expression(dice_, table_.columns, Sort::truth, 2);
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

  void distinct() {
    query_ += "\n| distinct *";
    std::ranges::sort(table_.rows);
    table_.rows.erase(std::ranges::unique(table_.rows).begin(), table_.rows.end());
  }

  /// By all columns, so that it does not matter which of equal rows are taken.
  void top() {
    const auto count = dice_.roll(5);
    query_ += "\n| sort by ";
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      query_ += (i > 0 ? ", " : "") + table_.columns[i].name + (i % 2 == 0 ? " asc" : " desc");
    }
    query_ += "\n| take " + std::to_string(count);
    std::ranges::sort(table_.rows, [](const Row& x, const Row& y) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] != y[i]) return i % 2 == 0 ? x[i] < y[i] : x[i] > y[i];  // null is the smallest of all
      }
      return false;
    });
    if (table_.rows.size() > count) table_.rows.resize(count);
  }

  void join() {
    const auto key = std::ranges::find(table_.columns, Sort::whole, &TypedColumn::sort);
    if (joined_ || key == table_.columns.end()) return distinct();
    joined_ = true;
    const auto at = static_cast<std::size_t>(key - table_.columns.begin());
    static const std::vector<std::string> kKinds = {"inner",    "leftouter", "leftanti",
                                                    "leftsemi", "rightanti", "fullouter"};
    const auto kind = kKinds[dice_.roll(kKinds.size())];
    RandomTable right = other_;
    query_ += "\n| join kind=" + kind + " (U | project ";
    for (std::size_t i = 0; i < right.columns.size(); ++i) {
      const auto name = fresh();
      query_ += (i > 0 ? ", " : "") + name + " = " + right.columns[i].name;
      right.columns[i].name = name;
    }
    query_ += ") on $left." + key->name + " == $right." + right.columns[0].name;
    RandomTable out;
    const bool left_only = kind == "leftanti" || kind == "leftsemi";
    const bool right_only = kind == "rightanti";
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
        if (row[at] != right.rows[i][0]) continue;  // null meets null
        found = true;
        met[i] = true;
        if (!left_only && !right_only) add(row, right.rows[i]);
      }
      if (left_only && found == (kind == "leftsemi")) out.rows.push_back(row);
      if (!found && (kind == "leftouter" || kind == "fullouter")) add(row, padding(right.columns));
    }
    for (std::size_t i = 0; i < met.size(); ++i) {
      if (met[i]) continue;
      if (kind == "rightanti") out.rows.push_back(right.rows[i]);
      if (kind == "fullouter") add(padding(table_.columns), right.rows[i]);
    }
    table_ = std::move(out);
  }

  /// An array of two numbers for each row, expanded.
  void expand() {
    const auto first = random_expression(dice_, table_.columns, Sort::whole, 1);
    const auto second = random_expression(dice_, table_.columns, Sort::whole, 1);
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
    if (table_.rows.size() > 200) top();
  }

  Dice dice_;
  std::string query_, table_text_;
  RandomTable table_, other_;
  std::size_t names_ = 0;
  bool joined_ = false;
};

}  // namespace

/// KQL_RANDOM_QUERIES=100000 for a long run; KQL_RANDOM_SEED to begin elsewhere.
TEST(KqlRandom, QueriesGiveWhatTheirStepsMean) {
  const auto number = [](const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  };
  const auto first = number("KQL_RANDOM_SEED", 1);
  const auto count = number("KQL_RANDOM_QUERIES", 150);
  DuckdbRunner runner;
  const Schema schema;
  for (auto seed = first; seed < first + count; ++seed) {
    const RandomQuery random(seed);
    const auto compiled = compile(random.query(), schema, Options{.now = {0}});
    ASSERT_TRUE(compiled) << "seed " << seed << "\n" << render(compiled.error().front(), random.query());
    auto rows = runner.run(*compiled);
    ASSERT_TRUE(rows) << "seed " << seed << "\n" << random.query() << "\n" << rows.error();
    std::ranges::sort(*rows);
    ASSERT_EQ(*rows, random.rows()) << "seed " << seed << "\n" << random.query() << "\n" << compiled->sql;
  }
}

}  // namespace picket::kql::testing
