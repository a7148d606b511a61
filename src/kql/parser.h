// Tokens to syntax tree.
#pragma once

#include <string_view>

#include "ast.h"
#include "kql/diagnostic.h"

namespace picket::kql {

/// Parses one request: declarations, then exactly one tabular expression. Errors: those of tokenize(), syntax,
/// unsupported (a known operator or statement that Picket does not have), limit_exceeded (kNestingMax).
Checked<ast::Query> parse(std::string_view text);

}  // namespace picket::kql
