// Rows of some records on their way to the sink, with everything their cells point to.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "message/decoder.h"
#include "workspace/rows.h"

namespace picket::pipeline {

/// Filled record by record, handed over, cleared; its memory is used again.
class RowBatch {
 public:
  void begin_row(workspace::TableIndex table, workspace::RowId id, Timestamp ingested) {
    rows_.push_back({.table = table, .id = id, .ingested = ingested});
    begins_.push_back(cells_.size());
  }
  std::vector<workspace::Cell>& cells() { return cells_; }
  /// Text that lives until clear().
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  std::deque<std::string>& texts() { return texts_; }
  /// Keeps what the cells of a message point into.
  message::SecurityMessage& keep(message::SecurityMessage&& message) {
    return messages_.emplace_back(std::move(message));
  }

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  /// Valid until something is added.
  [[nodiscard]] std::span<const workspace::Row> rows() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::size_t end = i + 1 < rows_.size() ? begins_[i + 1] : cells_.size();
      rows_[i].cells = std::span<const workspace::Cell>(cells_).subspan(begins_[i], end - begins_[i]);
    }
    return rows_;
  }
  void clear() {
    rows_.clear();
    begins_.clear();
    cells_.clear();
    texts_.clear();
    messages_.clear();
  }

 private:
  std::vector<workspace::Row> rows_;
  std::vector<std::size_t> begins_;
  std::vector<workspace::Cell> cells_;
  std::deque<std::string> texts_;
  std::deque<message::SecurityMessage> messages_;
};

}  // namespace picket::pipeline
