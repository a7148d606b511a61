// Functions of the families that need code: percentiles of digests, whether a column is there.
#include "binder_state.h"
#include "expr.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

}  // namespace

Checked<ExprPtr> Binder::bind_is_column(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  TRY(const auto name, constant_text(*expression.arguments[0].value, args[0]));
  return literal({Type::boolean, scope_ != nullptr && find_any_column(*scope_, name) != nullptr});
}

/// percentile_tdigest(d, p [, typeof(t)]), percentiles_array_tdigest(d, p, ... | array [, typeof(t)]).
Checked<ExprPtr> Binder::bind_digest_percentile(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr || args[0]->type != Type::dynamic) {
    return diagnose(code::kType, expression.arguments[0].value->span, "a value of tdigest() is expected");
  }
  Type target = Type::dynamic;
  if (args.back() == nullptr && expression.arguments.back().value->kind == Kind::type_of) {
    target = expression.arguments.back().value->type;
    args.pop_back();
  }
  std::vector<ExprPtr> shares;
  for (std::size_t i = 1; i < args.size(); ++i) {
    const auto place = expression.arguments[i].value->span;
    if (args[i] == nullptr) return diagnose(code::kArguments, place, "a percentage is expected");
    if (args[i]->type == Type::dynamic) {
      const auto* json = is_literal(args[i]) ? std::get_if<std::string>(&args[i]->value.data) : nullptr;
      const auto items = json == nullptr ? std::nullopt : text_elements(*json);
      if (!items) return diagnose(code::kUnsupported, place, "percentages that are computed");
      for (const auto& item : *items) {
        const auto share = parse_real(item);
        if (!share) return diagnose(code::kArguments, place, "percentages are expected");
        shares.push_back(literal({Type::real, *share}));
      }
    } else if (args[i]->type == Type::int32 || args[i]->type == Type::int64 || args[i]->type == Type::real) {
      shares.push_back(convert(args[i], Type::real));
    } else {
      return diagnose(code::kType, place, "a percentage is expected");
    }
  }
  const bool array = expression.text != "percentile_tdigest";
  if (shares.empty() || (!array && shares.size() != 1)) {
    return diagnose(code::kArguments, expression.span, "a percentage is expected");
  }
  std::vector<ExprPtr> found;
  for (auto& share : shares) {
    found.push_back(call("tdigest_percentile", Type::dynamic, {args[0], std::move(share)}, true));
  }
  if (!array) return target == Type::dynamic ? found[0] : convert(found[0], target);
  for (auto& one : found) one = json_of(target == Type::dynamic ? one : convert(one, target));
  return call("pack_array", Type::dynamic, std::move(found), false);
}

}  // namespace picket::kql
