#include "workspace/query.h"

#include <bit>

#include "base/core/check.h"

namespace picket::workspace {
namespace {

bool is_text(ColumnType type) { return type == ColumnType::text || type == ColumnType::json; }

}  // namespace

std::string_view to_string(QueryError::Kind kind) {
  switch (kind) {
    case QueryError::Kind::invalid:
      return "invalid";
    case QueryError::Kind::timeout:
      return "timeout";
    case QueryError::Kind::cancelled:
      return "cancelled";
    case QueryError::Kind::memory:
      return "memory";
    case QueryError::Kind::busy:
      return "busy";
    case QueryError::Kind::internal:
      return "internal";
  }
  return "";
}

Cell ResultColumn::at(std::size_t row) const {
  CHECK(row < valid_.size(), "row of the result");
  if (!valid_[row]) return Cell::null();
  if (is_text(type_)) {
    const std::size_t begin = row == 0 ? 0 : text_end_[row - 1];
    return Cell::text(std::string_view(text_).substr(begin, text_end_[row] - begin));
  }
  switch (type_) {
    case ColumnType::boolean:
      return Cell::boolean(fixed_[row] != 0);
    case ColumnType::real:
      return Cell::real(std::bit_cast<double>(fixed_[row]));
    case ColumnType::timestamp:
      return Cell::timestamp({fixed_[row]});
    default:
      return Cell::integer(fixed_[row]);
  }
}

void ResultColumn::push_null() {
  valid_.push_back(false);
  if (is_text(type_)) {
    text_end_.push_back(text_.size());
  } else {
    fixed_.push_back(0);
  }
}

void ResultColumn::push_integer(std::int64_t value) {
  valid_.push_back(true);
  fixed_.push_back(value);
}

void ResultColumn::push_real(double value) { push_integer(std::bit_cast<std::int64_t>(value)); }

void ResultColumn::push_text(std::string_view value) {
  valid_.push_back(true);
  text_.append(value);
  text_end_.push_back(text_.size());
}

void ResultColumn::truncate(std::size_t rows) {
  if (rows >= valid_.size()) return;
  valid_.resize(rows);
  if (is_text(type_)) {
    text_end_.resize(rows);
    text_.resize(rows == 0 ? 0 : text_end_.back());
  } else {
    fixed_.resize(rows);
  }
}

std::size_t ResultColumn::bytes() const {
  return text_.size() + text_end_.size() * sizeof(std::size_t) + fixed_.size() * sizeof(std::int64_t) +
         valid_.size() / 8;
}

}  // namespace picket::workspace
