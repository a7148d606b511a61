// Random queries and the tables that they must give, step by step: the slow meaning of the operators, written from the
// specification alone (spec/kql.md section 3).
#pragma once

#include <string>
#include <vector>

#include "random_expression.h"

namespace picket::kql::testing {

class RandomQuery {
 public:
  explicit RandomQuery(std::uint64_t seed);
  [[nodiscard]] std::string query() const;
  /// Rows as the case files write them, sorted.
  [[nodiscard]] std::vector<std::string> rows() const;

 private:
  RandomTable random_table(const std::string& name);
  std::string fresh() { return "c" + std::to_string(++names_); }
  void step();
  /// Sorts by all columns, so that it does not matter which of equal rows comes first.
  void sort();
  [[nodiscard]] std::size_t index_of(Sort sort);
  RandomExpression expression(Sort sort, int depth) {
    return random_expression(dice_, table_.columns, sort, depth, &other_);
  }
  /// `U`, its columns named anew.
  std::string renamed_other(RandomTable& out);

  // --- random_query.cc
  void where();
  void extend();
  void project();
  void summarize();
  void distinct();
  void top();
  void join();
  void expand();
  // --- random_steps.cc
  void summarize_all();
  void summarize_lists();
  void rename_columns();
  void count_rows();
  void window();
  void parse();
  void make_series();
  void unite();
  void apply_each();
  void partition();
  void call_function();
  void call_table_function();
  void lookup();

  Dice dice_;
  std::string lets_, query_, table_text_;
  RandomTable table_, other_;
  std::size_t names_ = 0;
  std::size_t joins_ = 0;
};

}  // namespace picket::kql::testing
