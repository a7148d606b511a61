// Syntax tree to plan: resolves names, gives types, names columns.
#pragma once

#include "ast.h"
#include "kql/compile.h"
#include "kql/diagnostic.h"
#include "kql/plan.h"
#include "kql/schema.h"

namespace picket::kql {

/// Errors: unknown_name, duplicate_name, type_mismatch, arguments, unsupported, limit_exceeded, literal.
Checked<Plan> bind(const ast::Query& query, const Schema& schema, const Options& options);

}  // namespace picket::kql
