// Query cases as text: what is asked, what comes back.
#pragma once

#include <string>
#include <vector>

#include "kql/schema.h"

namespace picket::kql::testing {

/// Blocks in a .kqlt file, separated by lines of '---':
///   // name: what the case shows            (the first comment line is its name)
///   // source: kql.md section 3             (any further comments)
///   <query, any number of lines>
///   => a:long, b:string                     (the result's columns)
///   1 | x                                   (rows; cells separated by " | ", texts quoted, null, numbers as printed)
/// or, instead of columns and rows,
///   !! unsupported at mv-expand             (the code of the diagnostic, and the text its span covers)
/// A line "## source: ..." before a block is the source of it and of those behind it, until the next such line.
/// A block of lines with " ==> " is a list of scalars, each a case of its own:
///   strcat("a", 1) ==> string "a1"          (an expression, its type, its value)
///   hash("a") ==> !! unsupported            (or the code of its diagnostic)
/// Rows are compared in order if the first row line is preceded by "ordered", otherwise as a set.
struct Case {
  std::string file;
  int line = 0;
  std::string name;
  std::string source;  ///< Where the rows come from; never the engine's own output.
  std::string query;
  std::string columns;
  std::vector<std::string> rows;
  bool ordered = false;
  std::string error_code;  ///< Empty: the query is valid.
  std::string error_text;
  bool any_place = false;  ///< Where the diagnostic points is not said.
};

/// All cases of all *.kqlt files in `folder`, in order of file name.
std::vector<Case> read_cases(const std::string& folder);

/// Tables as lines of `Name(column:type, ...)`.
Schema read_tables(const std::string& path);

/// The queries of all *.kql files in `folder`, parted by lines of '---', with the comments that name them.
std::vector<std::string> read_queries(const std::string& folder);

}  // namespace picket::kql::testing
