// Queries, functions and workbooks that people keep: the function of one name is part of the query language of everybody.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

enum class SavedKind { query, function, workbook };
std::string_view to_string(SavedKind kind);

struct SavedQuery {
  SavedKind kind = SavedKind::query;
  std::string name;         ///< Unique among those of a kind, case-sensitive.
  std::string category;     ///< For lists; may be empty.
  std::string description;  ///< For people; may be empty.
  std::string text;         ///< A query; of a function "(a:long, b:string='x') { body }"; of a workbook its JSON.
  std::string user;         ///< Who changed it last.
  Timestamp changed;
};

class SavedQueries {
 public:
  static constexpr std::size_t kCountMax = 4'096;  ///< Of queries, and of functions.
  static constexpr std::size_t kWorkbooksMax = 512;

  explicit SavedQueries(Database& database) : database_(database) {}

  /// Adds it or replaces the one of that name; audited ("query.save", "function.save", "workbook.save"). Returns whether it is new.
  /// Errors: limit_exceeded "saved_query".
  Result<bool> put(const SavedQuery& query, const Actor& actor, Timestamp now);
  /// Audited ("query.delete" and its like). Returns whether there was one.
  Result<bool> remove(SavedKind kind, std::string_view name, const Actor& actor, Timestamp now);
  /// Errors: not_found.
  Result<SavedQuery> find(SavedKind kind, std::string_view name) const;
  /// By name.
  Result<std::vector<SavedQuery>> list(SavedKind kind) const;

 private:
  Database& database_;
};

}  // namespace picket::state
