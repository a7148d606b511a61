// Sigma rules as operators see them: what is in force, files of their own, switches.
#include <algorithm>
#include <map>

#include "../json_body.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "pipeline/rules.h"

namespace picket::api {
namespace {

constexpr std::size_t kNameBytesMax = 128;

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

void write_texts(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

using Loads = std::map<std::string, pipeline::RuleLoad>;

Loads loads_of(const Call& call) {
  Loads out;
  for (pipeline::RuleLoad& load : call.parts.services.health.rule_loads()) out.emplace(load.id, std::move(load));
  return out;
}

/// Of a rule that is off, or that no event has reached since the start: zeros.
void write_load(JsonWriter& out, const Loads& loads, const std::string& id) {
  const auto found = loads.find(id);
  const pipeline::RuleLoad load = found == loads.end() ? pipeline::RuleLoad{} : found->second;
  out.key("load").begin_object().key("lookedAt").value(load.looked_at).key("matches").value(load.matches);
  out.key("throttled").value(load.throttled).key("cpuMicroseconds").value(load.cpu_us).end_object();
}

void write_rule(JsonWriter& out, const pipeline::RuleListing& rule, const Loads& loads) {
  out.begin_object().key("id").value(rule.id).key("title").value(rule.title).key("kind").value(rule.kind);
  out.key("level").value(rule.level).key("status").value(rule.status).key("alertType").value(rule.alert_type);
  out.key("logSource").value(rule.log_source).key("file").value(rule.file).key("line").value(rule.line);
  out.key("author").value(rule.author).key("license").value(rule.license).key("description").value(rule.description);
  write_texts(out, "references", rule.references);
  write_texts(out, "tags", rule.tags);
  write_texts(out, "falsePositives", rule.false_positives);
  write_texts(out, "filters", rule.filters);
  out.key("own").value(rule.own).key("enabled").value(rule.enabled);
  write_load(out, loads, rule.id);
  out.end_object();
}

/// What is in force now.
Result<pipeline::RuleListings> listings(const state::Rules& store) {
  TRY(const auto rows, store.list());
  TRY(const auto disabled, store.disabled());
  std::vector<pipeline::RuleText> files;
  for (const state::RuleFileRow& row : rows) files.push_back({row.name, row.yaml});
  return pipeline::list_rules(files, disabled);
}

}  // namespace

Answer list_rules(Call& call) {
  auto* store = call.parts.services.rules;
  if (store == nullptr) return not_offered();
  const auto all = listings(*store);
  if (!all) return api_error(all.error(), "rules");
  JsonWriter out;
  const Loads loads = loads_of(call);
  out.begin_object().key("items").begin_array();
  for (const pipeline::RuleListing& rule : all->rules) write_rule(out, rule, loads);
  out.end_array();
  write_texts(out, "complaints", all->complaints);
  return Response::json(out.end_object().take());
}

Answer get_rule(Call& call) {
  auto* store = call.parts.services.rules;
  if (store == nullptr) return not_offered();
  const auto all = listings(*store);
  if (!all) return api_error(all.error(), "rules");
  const auto rule = std::ranges::find(all->rules, call.path_values[0], &pipeline::RuleListing::id);
  if (rule == all->rules.end()) return std::unexpected(ApiError{.code = "not_found", .target = "rule"});
  JsonWriter out;
  write_rule(out, *rule, loads_of(call));
  return Response::json(out.take());
}

Answer set_rule(Call& call) {
  auto* store = call.parts.services.rules;
  if (store == nullptr) return not_offered();
  const auto all = listings(*store);
  if (!all) return api_error(all.error(), "rules");
  const std::string& id = call.path_values[0];
  if (std::ranges::find(all->rules, id, &pipeline::RuleListing::id) == all->rules.end()) {
    return std::unexpected(ApiError{.code = "not_found", .target = "rule"});
  }
  API_TRY(const auto body, JsonBody::parse(call.request, {"enabled"}));
  API_TRY(const auto enabled, body.json("enabled", 8));
  if (!enabled || (*enabled != "true" && *enabled != "false")) {
    return std::unexpected(invalid("enabled", "This must be true or false."));
  }
  const auto done = store->set_enabled(id, *enabled == "true", call.actor(), call.now());
  if (!done) return api_error(done.error(), "rule");
  return Response::empty();
}

Answer get_rule_file(Call& call) {
  auto* store = call.parts.services.rules;
  if (store == nullptr) return not_offered();
  const auto file = store->find(call.path_values[0]);
  if (!file) return api_error(file.error(), "rule file");
  JsonWriter out;
  out.begin_object().key("name").value(file->name).key("yaml").value(file->yaml);
  return Response::json(out.key("changed").value(file->changed).end_object().take());
}

// The body is the file itself. What cannot be used is told; a file of which nothing can be used is refused.
Answer put_rule_file(Call& call) {
  auto* store = call.parts.services.rules;
  if (store == nullptr) return not_offered();
  const std::string& name = call.path_values[0];
  if (name.size() > kNameBytesMax) return std::unexpected(invalid("name", "This is longer than 128 bytes."));
  const auto check = pipeline::check_rules({name, call.request.body});
  if (check.documents == 0) {
    return std::unexpected(
        invalid("rules", check.complaints.empty() ? "The file holds no rule." : check.complaints[0]));
  }
  const auto made = store->put(name, call.request.body, call.actor(), call.now());
  if (!made) return api_error(made.error(), "rule file");
  JsonWriter out;
  out.begin_object().key("name").value(name).key("documents").value(static_cast<std::uint64_t>(check.documents));
  write_texts(out, "complaints", check.complaints);
  return Response::json(out.end_object().take(), *made ? 201 : 200);
}

Answer delete_rule_file(Call& call) {
  auto* store = call.parts.services.rules;
  if (store == nullptr) return not_offered();
  const auto removed = store->remove(call.path_values[0], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "rule file");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "rule file"});
  return Response::empty();
}

}  // namespace picket::api
