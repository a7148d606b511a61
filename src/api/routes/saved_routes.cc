// Saved queries and stored functions.
#include <algorithm>

#include "../json_body.h"
#include "../kql_run.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "kql/compile.h"

namespace picket::api {
namespace {

using state::SavedKind;
using state::SavedQuery;

constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kDescriptionBytesMax = 4'096;

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

void write_saved(JsonWriter& out, const SavedQuery& query) {
  out.begin_object().key("name").value(query.name).key("category").value(query.category);
  out.key("description").value(query.description).key("text").value(query.text);
  out.key("user").value(query.user).key("changed").value(query.changed).end_object();
}

Answer list_saved(Call& call, SavedKind kind) {
  auto* store = call.parts.services.saved_queries;
  if (store == nullptr) return not_offered();
  const auto all = store->list(kind);
  if (!all) return api_error(all.error(), to_string(kind));
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const SavedQuery& query : *all) write_saved(out, query);
  return Response::json(out.end_array().end_object().take());
}

Answer get_saved(Call& call, SavedKind kind) {
  auto* store = call.parts.services.saved_queries;
  if (store == nullptr) return not_offered();
  const auto found = store->find(kind, call.path_values[0]);
  if (!found) return api_error(found.error(), to_string(kind));
  JsonWriter out;
  write_saved(out, *found);
  return Response::json(out.take());
}

/// A name that a query can call.
bool is_identifier(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || !letter(name[0])) return false;
  return std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::optional<ApiError> mistake_of(const Call& call, const SavedQuery& query) {
  if (query.name.size() > kNameBytesMax) return invalid("name", "This is longer than 128 bytes.");
  if (query.kind == SavedKind::query) return std::nullopt;
  if (!is_identifier(query.name)) return invalid("name", "A function is called by a name of letters, digits and _.");
  if (call.parts.services.kql_schema.find(query.name) != nullptr) return invalid("name", "A table has this name.");
  const auto checked =
      kql::check_function(query.name, query.text, current_schema(call.parts.services), {.now = call.now()});
  if (checked) return std::nullopt;
  return from_diagnostic(checked.error().front(), query.text, "text");
}

Answer put_saved(Call& call, SavedKind kind) {
  auto* store = call.parts.services.saved_queries;
  if (store == nullptr) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"text", "category", "description"}));
  API_TRY(auto text, body.required_text("text", kql::kQueryBytesMax));
  API_TRY(auto category, body.text("category", kNameBytesMax));
  API_TRY(auto description, body.text("description", kDescriptionBytesMax));
  const SavedQuery query{.kind = kind,
                         .name = call.path_values[0],
                         .category = category.value_or(""),
                         .description = description.value_or(""),
                         .text = std::move(text)};
  if (auto mistake = mistake_of(call, query)) return std::unexpected(*std::move(mistake));
  const auto made = store->put(query, call.actor(), call.now());
  if (!made) return api_error(made.error(), to_string(kind));
  return *made ? Response::json("{}", 201) : Response::empty();
}

Answer delete_saved(Call& call, SavedKind kind) {
  auto* store = call.parts.services.saved_queries;
  if (store == nullptr) return not_offered();
  const auto removed = store->remove(kind, call.path_values[0], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), to_string(kind));
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = std::string(to_string(kind))});
  return Response::empty();
}

}  // namespace

Answer list_saved_queries(Call& call) { return list_saved(call, SavedKind::query); }
Answer get_saved_query(Call& call) { return get_saved(call, SavedKind::query); }
Answer put_saved_query(Call& call) { return put_saved(call, SavedKind::query); }
Answer delete_saved_query(Call& call) { return delete_saved(call, SavedKind::query); }
Answer list_functions(Call& call) { return list_saved(call, SavedKind::function); }
Answer get_function(Call& call) { return get_saved(call, SavedKind::function); }
Answer put_function(Call& call) { return put_saved(call, SavedKind::function); }
Answer delete_function(Call& call) { return delete_saved(call, SavedKind::function); }

}  // namespace picket::api
