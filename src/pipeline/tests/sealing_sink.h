// A workspace as far as crashes go: rows are in memory until they are sealed into a file, whole and all at once.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/core/file.h"
#include "pipeline/row_sink.h"

namespace picket::pipeline {

class SealingSink final : public RowSink {
 public:
  explicit SealingSink(std::string folder) : folder_(std::move(folder)) {
    std::ifstream in(folder_ + "/sealed");
    std::string line;
    if (std::getline(in, line)) sealed_ = std::stoull(line);
    while (std::getline(in, line)) sealed_rows_.push_back(line);
    end_ = sealed_;
  }

  Result<> append(std::string_view stream, std::uint64_t through, std::span<const workspace::Row> rows) override {
    if (stream != "messages") return {};
    if (full_once_) {
      full_once_ = false;
      return fail(Errc::limit_exceeded, "workspace.append.full");
    }
    for (const workspace::Row& row : rows) {
      if (row.id.sequence <= end_) continue;
      hot_.emplace_back(row.id.sequence, text_of(row));
    }
    end_ = std::max(end_, through);
    return {};
  }
  std::uint64_t sealed_through(std::string_view) const override { return sealed_; }

  /// Rows up to here become durable.
  Result<> seal() {
    std::string text = std::to_string(end_) + "\n";
    for (const auto& [sequence, row] : hot_) sealed_rows_.push_back(row);
    for (const auto& row : sealed_rows_) text += row + "\n";
    hot_.clear();
    TRY_VOID(replace_file(folder_ + "/sealed", as_bytes(text)));
    sealed_ = end_;
    return {};
  }
  [[nodiscard]] std::vector<std::string> rows() const {
    auto out = sealed_rows_;
    for (const auto& [sequence, row] : hot_) out.push_back(row);
    return out;
  }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  void be_full_once() { full_once_ = true; }

  static std::string text_of(const workspace::Row& row) {
    std::ostringstream out;
    out << row.table << ' ' << row.id.sequence << '/' << row.id.event << '/' << row.id.item;
    for (const workspace::Cell& cell : row.cells) {
      out << '|';
      if (cell.kind() == workspace::Cell::Kind::text) out << cell.as_text();
      if (cell.kind() == workspace::Cell::Kind::timestamp) out << cell.as_timestamp().us;
      if (cell.kind() == workspace::Cell::Kind::integer) out << cell.as_integer();
    }
    return out.str();
  }

 private:
  std::string folder_;
  std::uint64_t sealed_ = 0;
  std::uint64_t end_ = 0;
  bool full_once_ = false;
  std::vector<std::string> sealed_rows_;
  std::vector<std::pair<std::uint64_t, std::string>> hot_;
};

}  // namespace picket::pipeline
