// scan: steps that rows in their order go through.
#include "parser_state.h"

namespace picket::kql {

Checked<ast::Steps> Parser::scan_steps() {
  ast::Steps out;
  if (at("with_match_id") && at("=", 1)) {
    take();
    take();
    TRY(out.match_id, name("a column name after 'with_match_id='"));
  }
  if (accept("declare")) {
    TRY_VOID(expect("(", "after 'declare'"));
    while (!at(")")) {
      ast::Steps::Column column;
      TRY(column.name, name("a column name"));
      TRY_VOID(expect(":", "and a type after the column name"));
      TRY(column.type, type_name());
      if (accept("=")) {
        TRY(column.fallback, expression());
      }
      out.columns.push_back(std::move(column));
      if (out.columns.size() > kColumnsMax) return too_deep();
      if (!accept(",")) break;
    }
    TRY_VOID(expect(")", "after the columns of 'scan'"));
  }
  TRY_VOID(expect("with", "before the steps of 'scan'"));
  TRY_VOID(expect("(", "before the steps of 'scan'"));
  do {
    TRY(auto step, scan_step());
    out.steps.push_back(std::move(step));
    if (out.steps.size() > kNestingMax) return too_deep();
  } while (at("step"));
  TRY_VOID(expect(")", "after the steps of 'scan'"));
  return out;
}

/// step a output=none: Condition => Column = Value, ...;
Checked<ast::Steps::Step> Parser::scan_step() {
  ast::Steps::Step out;
  TRY_VOID(expect("step", "in 'scan'"));
  TRY(out.name, name("the name of a step"));
  if (at("optional")) {
    return diagnose(code::kUnsupported, peek().span, "an optional step of 'scan' is not supported");
  }
  if (accept("output")) {
    TRY_VOID(expect("=", "after 'output'"));
    if (at("last")) return diagnose(code::kUnsupported, peek().span, "'output=last' of 'scan' is not supported");
    if (!at("all") && !at("none")) return expected("'all', 'last' or 'none'");
    out.shown = take().text == "all";
  }
  TRY_VOID(expect(":", "before the condition of a step"));
  TRY(out.condition, expression());
  if (accept("=>")) {
    TRY(out.assignments, assignments());
  }
  TRY_VOID(expect(";", "after a step of 'scan'"));
  return out;
}

}  // namespace picket::kql
