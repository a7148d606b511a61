// Syntax tree to plan: resolves names, gives types, names columns.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ast.h"
#include "kql/compile.h"
#include "kql/diagnostic.h"
#include "kql/plan.h"
#include "kql/schema.h"

namespace picket::kql {

/// Runs a plan of one string column now; for plugins whose columns come from the data. Empty: refused.
using Discover = std::function<Checked<std::vector<std::string>>(Plan)>;

/// One plan a result. Errors: unknown_name, duplicate_name, type_mismatch, arguments, unsupported, limit_exceeded,
/// literal.
Checked<std::vector<Plan>> bind(const ast::Query& query, const Schema& schema, const Options& options,
                                const Discover& discover);

}  // namespace picket::kql
