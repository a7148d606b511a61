// Suppression rules: what is known and need not be seen.
#include <boost/json.hpp>

#include "../json_body.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "pipeline/suppression.h"

namespace picket::api {
namespace {

constexpr std::size_t kNameBytesMax = 128;

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

void write_rule(JsonWriter& out, const state::SuppressionRow& row, Timestamp now) {
  boost::json::error_code error;
  const boost::json::value parsed = boost::json::parse(row.json, error);
  const auto rule = pipeline::parse_suppression(row.json);
  out.begin_object().key("id").value(row.id);
  if (!error && parsed.is_object()) {
    for (const auto& member : parsed.get_object()) {
      if (member.key() != "id") out.key(member.key()).raw(boost::json::serialize(member.value()));
    }
  }
  out.key("expired").value(rule && rule->expires && *rule->expires <= now);
  out.key("createdBy").value(row.created_by).key("created").value(row.created).key("changed").value(row.changed);
  out.key("alerts").value(row.alerts).key("hits").value(row.hits);
  if (row.last_hit.us != 0) out.key("lastHit").value(row.last_hit);
  out.end_object();
}

ApiError refusal(const Error& error) {
  const std::string where(error.where.substr(error.where.find('.') + 1));
  if (error.where == "suppression.match") {
    return invalid("match", "Name at least one of device, group, type, rule, entity and field that is not just *.");
  }
  if (error.where == "suppression.reason")
    return invalid("reason", "Say why: a rule without a reason is not understood later.");
  return invalid(where, "This member is unknown, or its value is not of the right kind.");
}

}  // namespace

Answer list_suppressions(Call& call) {
  const auto* store = call.parts.services.suppressions;
  if (store == nullptr) return not_offered();
  const auto rules = store->list();
  if (!rules) return api_error(rules.error(), "suppressions");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::SuppressionRow& row : *rules) write_rule(out, row, call.now());
  return Response::json(out.end_array().end_object().take());
}

Answer get_suppression(Call& call) {
  const auto* store = call.parts.services.suppressions;
  if (store == nullptr) return not_offered();
  const auto rule = store->find(call.path_values[0]);
  if (!rule) return api_error(rule.error(), "suppression");
  JsonWriter out;
  write_rule(out, *rule, call.now());
  return Response::json(out.take());
}

Answer put_suppression(Call& call) {
  auto* store = call.parts.services.suppressions;
  if (store == nullptr) return not_offered();
  const std::string& id = call.path_values[0];
  if (id.size() > kNameBytesMax) return std::unexpected(invalid("id", "This is longer than 128 bytes."));
  auto rule = pipeline::parse_suppression(call.request.body);
  if (!rule) return std::unexpected(refusal(rule.error()));
  rule->id = id;
  const auto made = store->put(id, pipeline::to_json(*rule), call.actor(), call.now());
  if (!made) return api_error(made.error(), "suppression");
  const auto stored = store->find(id);
  if (!stored) return api_error(stored.error(), "suppression");
  JsonWriter out;
  write_rule(out, *stored, call.now());
  return Response::json(out.take(), *made ? 201 : 200);
}

Answer delete_suppression(Call& call) {
  auto* store = call.parts.services.suppressions;
  if (store == nullptr) return not_offered();
  const auto removed = store->remove(call.path_values[0], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "suppression");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "suppression"});
  return Response::empty();
}

}  // namespace picket::api
