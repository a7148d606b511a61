// Tokens to syntax tree.
#pragma once

#include <string_view>

#include "ast.h"
#include "kql/diagnostic.h"

namespace picket::kql {

/// Parses one request: declarations and at least one tabular expression. Errors: those of tokenize(), syntax,
/// unsupported (a known operator or statement that Picket does not have), limit_exceeded (kNestingMax).
Checked<ast::Query> parse(std::string_view text);

/// Parses the text of a stored function, "(a:long, b:string='x') { ... }".
Checked<ast::FunctionPtr> parse_function(std::string_view text);

}  // namespace picket::kql
