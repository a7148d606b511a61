// Workbooks: those that come with Picket and those that people import; their queries run here, with the values of their
// parameters put in by src/workbook, never by the browser.
#include <algorithm>
#include <map>

#include "../json_body.h"
#include "../kql_run.h"
#include "../query_answer.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "workbook/check.h"
#include "workbook/document.h"
#include "workbook/resolve.h"
#include "workbook/shipped.h"

namespace picket::api {
namespace {

using state::SavedKind;
using state::SavedQuery;
using workbook::Document;

constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kDescriptionBytesMax = 4'096;
constexpr std::size_t kValuesBytesMax = 512 * 1024;
constexpr std::int64_t kRowsDefault = 5'000;
constexpr Duration kTimeout = Duration::seconds(60);

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

/// One workbook as it is listed; `text` is the notebook.
struct Entry {
  std::string name, description, category, user, text;
  std::optional<Timestamp> changed;  ///< nullopt: it came with Picket.
};

Entry entry_of(const workbook::Shipped& one) {
  return {.name = std::string(one.name),
          .description = std::string(one.description),
          .category = "Picket",
          .user = {},
          .text = std::string(one.text),
          .changed = {}};
}

Entry entry_of(SavedQuery saved) {
  return {.name = std::move(saved.name),
          .description = std::move(saved.description),
          .category = std::move(saved.category),
          .user = std::move(saved.user),
          .text = std::move(saved.text),
          .changed = saved.changed};
}

/// One's own of a name stands before the one that came with Picket.
std::expected<Entry, ApiError> find_entry(const Call& call) {
  auto saved = call.parts.services.saved_queries->find(SavedKind::workbook, call.path_values[0]);
  if (saved) return entry_of(*std::move(saved));
  if (saved.error().code != Errc::not_found) return api_error(saved.error(), "workbook");
  for (const workbook::Shipped& one : workbook::shipped()) {
    if (one.name == call.path_values[0]) return entry_of(one);
  }
  return std::unexpected(ApiError{.code = "not_found", .target = "workbook"});
}

std::expected<Document, ApiError> read(const Entry& entry) {
  auto document = workbook::read_document(entry.text);
  if (!document) return std::unexpected(ApiError{.code = "internal"});
  return *std::move(document);
}

void write_notes(JsonWriter& out, const Document& document) {
  out.key("notes").begin_array();
  for (const workbook::Note& note : document.notes) {
    out.begin_object().key("path").value(note.path).key("construct").value(note.construct);
    out.key("message").value(note.message).end_object();
  }
  out.end_array();
}

/// Members of Workbook, without the braces.
void write_entry(JsonWriter& out, const Entry& entry) {
  out.key("name").value(entry.name).key("description").value(entry.description).key("category").value(entry.category);
  out.key("shipped").value(!entry.changed.has_value());
  if (entry.changed) out.key("user").value(entry.user).key("changed").value(*entry.changed);
}

std::optional<std::string> mistake_of(const kql::Schema& schema, std::string_view query, Timestamp now) {
  kql::Options options{.now = now};
  options.discover = [](const kql::CompiledQuery&) { return std::vector<std::string>{}; };
  const auto compiled = kql::compile_all(query, schema, options);
  if (compiled) return std::nullopt;
  const kql::Diagnostic& first = compiled.error().front();
  return "line " + std::to_string(first.line) + ", column " + std::to_string(first.column) + ": " + first.message;
}

void write_problems(JsonWriter& out, const Call& call, const Document& document) {
  const kql::Schema schema = current_schema(call.parts.services);
  out.key("problems").begin_array();
  for (const workbook::Problem& problem : workbook::check(
           document, call.now(), [&](std::string_view query) { return mistake_of(schema, query, call.now()); })) {
    out.begin_object().key("path").value(problem.path).key("title").value(problem.title);
    out.key("query").value(problem.query).key("message").value(problem.message).end_object();
  }
  out.end_array();
}

std::expected<void, ApiError> keep(Call& call, std::string name, std::string description, std::string category,
                                   const Document& document, bool& made) {
  if (name.empty() || name.size() > kNameBytesMax)
    return std::unexpected(invalid("name", "A workbook has a name of at most 128 bytes."));
  if (description.size() > kDescriptionBytesMax) description.resize(kDescriptionBytesMax);
  const auto done = call.parts.services.saved_queries->put({.kind = SavedKind::workbook,
                                                            .name = std::move(name),
                                                            .category = std::move(category),
                                                            .description = std::move(description),
                                                            .text = document.json},
                                                           call.actor(), call.now());
  if (!done) return api_error(done.error(), "workbook");
  made = *done;
  return {};
}

/// What a resource picker of the original lists, here: the hub.
std::string resources_json(const Call& call, const Document& document, std::string_view path) {
  const Services& services = call.parts.services;
  const auto parameter = std::ranges::find(document.parameters, path, &workbook::Parameter::path);
  const bool text = parameter != document.parameters.end() && parameter->kind == workbook::ParameterKind::text;
  const std::string id = "/subscriptions/" + services.installation_id +
                         "/resourcegroups/picket/providers/microsoft.devices/iothubs/" + services.hub;
  JsonWriter out;
  out.begin_object().key("columns").begin_array();
  for (const char* name : {"value", "label"})
    out.begin_object().key("name").value(name).key("type").value("string").end_object();
  out.end_array().key("rows").begin_array().begin_array();
  out.value(text ? services.installation_id : id).value(services.hub).end_array().end_array();
  out.key("stats")
      .begin_object()
      .key("elapsed_ms")
      .value(0)
      .key("rows")
      .value(1)
      .key("truncated")
      .value(false)
      .end_object();
  return out.end_object().take();
}

[[maybe_unused]] std::span<const KqlTable> all_of(const std::vector<KqlTable>& tables) { return tables; }
[[maybe_unused]] std::span<const KqlTable> all_of(const KqlTable& table) { return {&table, 1}; }

}  // namespace

Answer list_workbooks(Call& call) {
  auto* store = call.parts.services.saved_queries;
  if (store == nullptr) return not_offered();
  auto saved = store->list(SavedKind::workbook);
  if (!saved) return api_error(saved.error(), "workbooks");
  std::map<std::string, Entry> all;
  for (const workbook::Shipped& one : workbook::shipped()) all.insert_or_assign(std::string(one.name), entry_of(one));
  for (SavedQuery& one : *saved) {
    std::string name = one.name;
    all.insert_or_assign(std::move(name), entry_of(std::move(one)));
  }
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const auto& [name, entry] : all) {
    out.begin_object();
    write_entry(out, entry);
    out.end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Answer get_workbook(Call& call) {
  if (call.parts.services.saved_queries == nullptr) return not_offered();
  API_TRY(const auto entry, find_entry(call));
  API_TRY(const auto document, read(entry));
  JsonWriter out;
  out.begin_object();
  write_entry(out, entry);
  write_notes(out, document);
  out.key("document").raw(document.json);
  return Response::json(out.end_object().take());
}

Answer put_workbook(Call& call) {
  if (call.parts.services.saved_queries == nullptr) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"document", "description", "category"}));
  API_TRY(const auto text, body.json("document", workbook::kFileBytesMax));
  API_TRY(auto description, body.text("description", kDescriptionBytesMax));
  API_TRY(auto category, body.text("category", kNameBytesMax));
  const auto document = workbook::read_document(text.value_or(""));
  if (!document) return std::unexpected(invalid("document", document.error()));
  bool made = false;
  if (auto done = keep(call, call.path_values[0], description.value_or(""), category.value_or(""), *document, made);
      !done)
    return std::unexpected(done.error());
  return made ? Response::json("{}", 201) : Response::empty();
}

Answer delete_workbook(Call& call) {
  auto* store = call.parts.services.saved_queries;
  if (store == nullptr) return not_offered();
  const auto removed = store->remove(SavedKind::workbook, call.path_values[0], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "workbook");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "workbook"});
  return Response::empty();
}

// The body is the file as it is; ?name= names a notebook, which has no name of its own.
Answer import_workbooks(Call& call) {
  if (call.parts.services.saved_queries == nullptr) return not_offered();
  auto documents = workbook::read_file(call.request.body);
  if (!documents) return std::unexpected(invalid("file", documents.error()));
  const auto named = call.parameter("name");
  JsonWriter out;
  out.begin_object().key("imported").begin_array();
  for (std::size_t i = 0; i < documents->size(); ++i) {
    Document& document = (*documents)[i];
    std::string name = document.name;
    if (name.empty())
      name = named.value_or("Imported workbook") + (documents->size() > 1 ? " " + std::to_string(i + 1) : "");
    if (name.size() > kNameBytesMax) {
      std::size_t end = kNameBytesMax;
      while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;  // between characters
      name.resize(end);
    }
    bool made = false;
    if (auto done = keep(call, name, document.description, "", document, made); !done)
      return std::unexpected(done.error());
    out.begin_object().key("name").value(name).key("queries").value(std::uint64_t{document.queries.size()});
    write_notes(out, document);
    write_problems(out, call, document);
    out.end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Answer check_workbooks(Call& call) {
  auto documents = workbook::read_file(call.request.body);
  if (!documents) return std::unexpected(invalid("file", documents.error()));
  JsonWriter out;
  out.begin_object().key("workbooks").begin_array();
  for (const Document& document : *documents) {
    out.begin_object().key("name").value(document.name).key("queries").value(std::uint64_t{document.queries.size()});
    write_notes(out, document);
    write_problems(out, call, document);
    out.end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

// {"path": place of the item or parameter, "values": {...}}: the rows, and the query as it ran. Without values, with
// what the workbook shows before anybody chose.
Answer run_workbook(Call& call) {
  if (call.parts.services.saved_queries == nullptr) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"path", "values", "max_rows", "client_request_id"}));
  API_TRY(const auto path, body.required_text("path", kNameBytesMax * 2));
  API_TRY(const auto values, body.json("values", kValuesBytesMax));
  API_TRY(const auto rows_max, body.number("max_rows", 1, kRowsMax));
  API_TRY(const auto id, body.text("client_request_id", kNameBytesMax));
  API_TRY(const auto entry, find_entry(call));
  API_TRY(const auto document, read(entry));
  const workbook::Query* query = document.query(path);
  if (query == nullptr) return std::unexpected(ApiError{.code = "not_found", .target = "path"});
  const auto choices = values ? workbook::read_choices(*values) : workbook::initial_choices(document);
  if (!choices) return std::unexpected(invalid("values", choices.error()));
  if (query->source == workbook::Source::resources) return Response::json(resources_json(call, document, path));
  if (query->source != workbook::Source::kql)
    return std::unexpected(invalid("path", "Picket answers KQL over its own tables; this query is of another kind."));
  const auto text = workbook::resolve(document, *choices, query->text, call.now());
  if (!text) {
    return std::unexpected(ApiError{.code = text.error().unset ? "workbook_unset" : "workbook_value",
                                    .message = text.error().parameter + ": " + text.error().message,
                                    .target = text.error().parameter});
  }
  QueryOrder order{.text = *text, .options = {.now = call.now()}};
  if (const auto time = workbook::time_of(document, *choices, *query, call.now()))
    order.options.time_range = kql::TimeRange{time->from, time->to};
  order.limits = {.rows_max = static_cast<std::size_t>(rows_max.value_or(kRowsDefault)),
                  .bytes_max = kResultBytesMax,
                  .timeout = kTimeout};
  order.client_request_id = id.value_or("");
  order.application = "workbook " + entry.name;
  const auto tables = run_order(call, order);
  if (!tables) return std::unexpected(tables.error());
  JsonWriter shown;
  shown.value(*text);
  return Response::json("{\"query\":" + shown.take() + "," + results_json(all_of(*tables), order.limits).substr(1));
}

}  // namespace picket::api
