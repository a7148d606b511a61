#include "service_api.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "paths.h"
#include "registration_json.h"
#include "state/outbox.h"

namespace picket::hub {
namespace {

using state::EnrollmentTable;
using state::RegistrationTable;
using state::StoredEnrollment;

constexpr std::size_t kPageDefault = 100;

auto invalid(std::string_view text) { return hub_fail(kArgumentInvalid, std::string(text)); }
auto not_found(std::string_view what) { return hub_fail(kDeviceNotFound, fmt::format("{} does not exist.", what)); }

ProvisioningServiceReply ok(std::string body) { return {200, std::move(body), {}, {}}; }
ProvisioningServiceReply no_content() { return {204, {}, {}, {}}; }

/// An etag as clients send it: with or without quotes, weak or not. "*": any.
std::string plain_etag(std::string_view text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  std::string out(text);
  std::erase(out, '"');
  return out;
}

HubResult<> check_etag(std::string_view if_match, std::string_view etag) {
  const auto wanted = plain_etag(if_match);
  if (wanted.empty() || wanted == "*" || wanted == etag) return {};
  return hub_fail(kEtagMismatch, "The etag is another: it was changed meanwhile.");
}

std::string make_etag() {
  Buffer bytes(8);
  random_bytes(bytes);
  return to_hex(bytes);
}

Result<> audit(sqlite3* db, std::string_view kind, const state::Actor& actor, std::string_view id, bool group,
               Timestamp now) {
  JsonWriter json;
  json.begin_object().key("actor").value(actor.user).key("source").value(actor.source);
  json.key("object").value(id).key("group").value(group);
  return state::Outbox::add(db, kind, "", json.end_object().take(), now);
}

HubResult<> to_hub(Result<> result) {
  if (!result) return std::unexpected(from_store(result.error(), "The enrollment"));
  return {};
}
template <class T>
HubResult<T> to_hub(Result<T> result) {
  if (!result) return std::unexpected(from_store(result.error(), "The enrollment"));
  return *std::move(result);
}

enum class Mode : std::uint8_t { create, update, match };

/// Inside a transaction.
HubResult<StoredEnrollment> put_in(sqlite3* db, Enrollment enrollment, Mode mode, std::string_view if_match,
                                   const state::Actor& actor, Timestamp now) {
  TRY(const auto before, to_hub(EnrollmentTable::find(db, enrollment.group, enrollment.id)));
  if (mode == Mode::create && before) {
    return hub_fail(kDeviceExists, fmt::format("{} exists: send its etag to change it.", enrollment.id));
  }
  if (mode != Mode::create && !before) return not_found(enrollment.id);
  if (mode == Mode::match) TRY_VOID(check_etag(if_match, before->etag));
  if (!before && enrollment.group) {
    TRY(const auto count, to_hub(EnrollmentTable::count(db, true)));
    if (count >= kEnrollmentGroupsMax) {
      return hub_fail(kQuotaExceeded, fmt::format("There are {} enrollment groups already.", kEnrollmentGroupsMax));
    }
  }
  fill_keys(enrollment, before);
  enrollment.etag = make_etag();
  auto stored = to_stored(enrollment, before ? before->created : now, now);
  TRY_VOID(to_hub(EnrollmentTable::put(db, stored)));
  TRY_VOID(to_hub(
      audit(db, before ? "enrollment.update" : "enrollment.create", actor, enrollment.id, enrollment.group, now)));
  return stored;
}

HubResult<> remove_in(sqlite3* db, bool group, const std::string& id, std::string_view if_match,
                      const state::Actor& actor, Timestamp now) {
  TRY(const auto before, to_hub(EnrollmentTable::find(db, group, id)));
  if (!before) return not_found(id);
  TRY_VOID(check_etag(if_match, before->etag));
  TRY_VOID(to_hub(EnrollmentTable::remove(db, group, id)));
  if (!group) {
    TRY(const auto registration, to_hub(RegistrationTable::find(db, id)));
    if (registration && !registration->group) TRY_VOID(to_hub(RegistrationTable::remove(db, id)));
  }
  return to_hub(audit(db, "enrollment.delete", actor, id, group, now));
}

/// "SELECT * FROM {table}", as all SDK samples ask. Errors: 400004.
HubResult<> check_query(std::string_view body, std::string_view table) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  std::string_view text;
  if (parser.parse(simdjson::padded_string(body)).get(object) != simdjson::SUCCESS ||
      object.at_key("query").get(text) != simdjson::SUCCESS) {
    return invalid("The body is {\"query\":\"SELECT * FROM …\"}.");
  }
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (std::string_view(" \t\r\n").contains(c)) {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  if (words.size() == 1 && words.front() == "*") return {};  // as the Node SDK's samples write it
  const std::string_view wanted[] = {"SELECT", "*", "FROM", table};
  if (words.size() == std::size(wanted) && std::ranges::equal(words, wanted, equal_without_case)) return {};
  return invalid(fmt::format("Only SELECT * FROM {} is offered here.", table));
}

struct Page {
  std::string after;
  std::size_t count;
};
HubResult<Page> page_of(const ProvisioningServiceCall& call) {
  Page out{{}, call.item_count_max == 0 ? kPageDefault : std::min(call.item_count_max, kEnrollmentListMax)};
  if (call.continuation.empty()) return out;
  const auto token = from_base64(call.continuation);
  if (!token || token->size() > kRegistrationIdBytesMax) return invalid("x-ms-continuation is not one of ours.");
  out.after = as_text(*token);
  return out;
}
std::string continuation_after(std::string_view id) { return to_base64(as_bytes(id)); }

std::string array_of(const std::vector<std::string>& items) {
  JsonWriter json;
  json.begin_array();
  for (const auto& item : items) json.raw(item);
  return json.end_array().take();
}

struct BulkError {
  std::string id;
  HubError error;
};
std::string bulk_json(const std::vector<BulkError>& errors) {
  JsonWriter json;
  json.begin_object().key("isSuccessful").value(errors.empty()).key("errors").begin_array();
  for (const auto& [id, error] : errors) {
    json.begin_object().key("registrationId").value(id);
    json.key("errorCode").value(provisioning_code(error.code)).key("errorStatus").value(error.message).end_object();
  }
  return json.end_array().end_object().take();
}

struct BulkRequest {
  std::string mode;
  std::vector<std::string> items;  ///< JSON of each.
};
HubResult<BulkRequest> parse_bulk(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  std::string_view mode;
  simdjson::dom::array list;
  if (parser.parse(simdjson::padded_string(body)).get(object) != simdjson::SUCCESS ||
      object.at_key("mode").get(mode) != simdjson::SUCCESS ||
      object.at_key("enrollments").get(list) != simdjson::SUCCESS) {
    return invalid("The body is {\"mode\":…,\"enrollments\":[…]}.");
  }
  BulkRequest out{std::string(mode), {}};
  for (const simdjson::dom::element item : list) {
    if (out.items.size() == kBulkEnrollmentsMax) {
      return invalid(fmt::format("At most {} enrollments at once.", kBulkEnrollmentsMax));
    }
    out.items.push_back(simdjson::minify(item));
  }
  return out;
}

}  // namespace

void ServiceApi::tell(Answer& answer, ReplyResult reply) const {
  if (reply) return answer(*std::move(reply));
  const auto& error = reply.error();
  answer({error.status(), provisioning_error_json(provisioning_code(error.code), error.message, clock_.now()), {}, {}});
}

void ServiceApi::submit(std::move_only_function<ReplyResult(sqlite3*)> body, Answer answer) {
  auto reply = std::make_shared<ReplyResult>();
  database_.submit(
      [reply, body = std::move(body)](sqlite3* db) mutable -> Result<> {
        *reply = body(db);
        if (!*reply) return fail(Errc::denied, "provisioning.refused");  // takes back what it did
        return {};
      },
      [self = shared_from_this(), reply, answer = std::move(answer)](const Result<>& committed) mutable {
        self->groups_->invalidate();
        if (!committed && *reply) *reply = std::unexpected(from_store(committed.error(), "The enrollment"));
        self->tell(answer, std::move(*reply));
      });
}

void ServiceApi::call(ProvisioningServiceCall call, const state::Actor& actor, Answer answer) {
  constexpr std::size_t kBodyBytesMax = kProvisioningBodyBytesMax * 16;
  const auto segments = path_segments(call.path);
  if (!segments || segments->empty()) return tell(answer, not_found("The path"));
  if (call.body.size() > kBodyBytesMax) return tell(answer, hub_fail(kTooLarge, "The body is too large."));
  const auto& path = *segments;
  const auto is = [&](std::size_t index, std::string_view name) { return equal_without_case(path[index], name); };
  const auto& method = call.method;

  if (is(0, "registrations")) {
    if (path.size() == 2 && method == "GET") return tell(answer, registration(path[1]));
    if (path.size() == 2 && method == "DELETE") return remove_registration(path[1], call, actor, std::move(answer));
    if (path.size() == 3 && is(2, "query") && method == "POST") return tell(answer, query_registrations(path[1], call));
  } else if (const bool group = is(0, "enrollmentGroups"); group || is(0, "enrollments")) {
    if (path.size() == 1 && !group && method == "POST") return bulk(call, actor, std::move(answer));
    if (path.size() == 2 && method == "POST" && is(1, "query")) return tell(answer, query(group, call));
    if (path.size() == 2 && method == "GET") return tell(answer, get(group, path[1]));
    if (path.size() == 2 && method == "PUT") return put(group, path[1], call, actor, std::move(answer));
    if (path.size() == 2 && method == "DELETE") return remove(group, path[1], call, actor, std::move(answer));
    if (path.size() == 3 && method == "POST" && is(2, "attestationmechanism")) {
      return tell(answer, attestation(group, path[1], actor));
    }
  }
  tell(answer, not_found("The operation"));
}

HubResult<> ServiceApi::check_names(const Enrollment& enrollment) const {
  auto hosts = enrollment.hub_hosts;
  if (!enrollment.hub_host.empty()) hosts.push_back(enrollment.hub_host);
  for (const auto& host : hosts) {
    if (!registry_.hub_of(host)) return invalid(fmt::format("{} is no hub of this installation.", host));
  }
  for (const auto& name : enrollment.ca_references) {
    if (!registry_.verified_ca(name)) {
      return invalid(fmt::format("There is no certificate {} whose possession was proven.", name));
    }
  }
  return {};
}

std::string ServiceApi::state_json(const state::StoredRegistration& registration) const {
  const auto host = registration.hub.empty() ? std::string() : registry_.host_of(registration.hub);
  return registration_state_json(registration, host, Reader::service);
}

void ServiceApi::put(bool group, const std::string& id, const ProvisioningServiceCall& call, const state::Actor& actor,
                     Answer answer) {
  auto enrollment = parse_enrollment(call.body, group);
  if (!enrollment) return tell(answer, std::unexpected(std::move(enrollment).error()));
  if (enrollment->id != id) return tell(answer, invalid("The id in the path and that in the body differ."));
  if (auto checked = check_names(*enrollment); !checked) return tell(answer, std::unexpected(checked.error()));
  const auto mode = call.if_match.empty() ? Mode::create : Mode::match;
  submit(
      [enrollment = *std::move(enrollment), mode, if_match = call.if_match, actor,
       now = clock_.now()](sqlite3* db) mutable -> ReplyResult {
        TRY(const auto stored, put_in(db, std::move(enrollment), mode, if_match, actor, now));
        TRY(const auto written, to_hub(from_stored(stored)));
        return ok(to_json(written, stored.created, stored.updated, {}));
      },
      std::move(answer));
}

void ServiceApi::remove(bool group, const std::string& id, const ProvisioningServiceCall& call,
                        const state::Actor& actor, Answer answer) {
  submit(
      [group, id, if_match = call.if_match, actor, now = clock_.now()](sqlite3* db) -> ReplyResult {
        TRY_VOID(remove_in(db, group, id, if_match, actor, now));
        return no_content();
      },
      std::move(answer));
}

void ServiceApi::bulk(const ProvisioningServiceCall& call, const state::Actor& actor, Answer answer) {
  auto request = parse_bulk(call.body);
  if (!request) return tell(answer, std::unexpected(std::move(request).error()));
  const bool removes = request->mode == "delete";
  const auto mode = request->mode == "create" ? Mode::create : request->mode == "update" ? Mode::update : Mode::match;
  if (!removes && mode == Mode::match && request->mode != "updateIfMatchEtag") {
    return tell(answer, invalid("mode is create, update, updateIfMatchEtag or delete."));
  }
  std::vector<BulkError> errors;
  std::vector<Enrollment> enrollments;
  for (const auto& item : request->items) {
    auto enrollment = parse_enrollment(item, false);
    if (enrollment) {
      if (auto checked = check_names(*enrollment); !checked) enrollment = std::unexpected(checked.error());
    }
    if (enrollment) {
      enrollments.push_back(*std::move(enrollment));
    } else {
      errors.push_back({"", enrollment.error()});
    }
  }
  submit(
      [enrollments = std::move(enrollments), errors = std::move(errors), removes, mode, actor,
       now = clock_.now()](sqlite3* db) mutable -> ReplyResult {
        for (auto& enrollment : enrollments) {
          const auto id = enrollment.id;
          const auto etag = enrollment.etag;
          HubResult<> done;
          if (removes) {
            done = remove_in(db, false, id, etag, actor, now);
          } else if (auto put = put_in(db, std::move(enrollment), mode, etag, actor, now); !put) {
            done = std::unexpected(std::move(put).error());
          }
          if (!done && done.error().status() >= 500) return std::unexpected(std::move(done).error());
          if (!done) errors.push_back({id, std::move(done).error()});
        }
        return ok(bulk_json(errors));
      },
      std::move(answer));
}

void ServiceApi::remove_registration(const std::string& id, const ProvisioningServiceCall& call,
                                     const state::Actor& actor, Answer answer) {
  submit(
      [id, if_match = call.if_match, actor, now = clock_.now()](sqlite3* db) -> ReplyResult {
        TRY(const auto before, to_hub(RegistrationTable::find(db, id)));
        if (!before) return not_found(id);
        TRY_VOID(check_etag(if_match, before->etag));
        TRY_VOID(to_hub(RegistrationTable::remove(db, id)));
        TRY_VOID(to_hub(audit(db, "registration.delete", actor, id, before->group, now)));
        return no_content();
      },
      std::move(answer));
}

ServiceApi::ReplyResult ServiceApi::get(bool group, const std::string& id) {
  std::optional<StoredEnrollment> stored;
  std::optional<state::StoredRegistration> registration;
  TRY_VOID(to_hub(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(stored, EnrollmentTable::find(db, group, id));
    if (group) return {};
    TRY(registration, RegistrationTable::find(db, id));
    return {};
  })));
  if (!stored) return not_found(id);
  TRY(const auto enrollment, to_hub(from_stored(*stored)));
  const bool own = registration && !registration->group;
  return ok(to_json(enrollment, stored->created, stored->updated, own ? state_json(*registration) : std::string()));
}

ServiceApi::ReplyResult ServiceApi::attestation(bool group, const std::string& id, const state::Actor& actor) {
  std::optional<StoredEnrollment> stored;
  // Keys are shown: nobody sees them without a record of it.
  TRY_VOID(to_hub(database_.write([&](sqlite3* db) -> Result<> {
    TRY(stored, EnrollmentTable::find(db, group, id));
    if (!stored) return {};
    return audit(db, "key.read", actor, id, group, clock_.now());
  })));
  if (!stored) return not_found(id);
  TRY(const auto enrollment, to_hub(from_stored(*stored)));
  return ok(attestation_json(enrollment));
}

ServiceApi::ReplyResult ServiceApi::registration(const std::string& id) {
  std::optional<state::StoredRegistration> stored;
  TRY_VOID(to_hub(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(stored, RegistrationTable::find(db, id));
    return {};
  })));
  if (!stored) return not_found(id);
  return ok(state_json(*stored));
}

ServiceApi::ReplyResult ServiceApi::query(bool group, const ProvisioningServiceCall& call) {
  TRY_VOID(check_query(call.body, group ? "enrollmentGroups" : "enrollments"));
  TRY(const auto page, page_of(call));
  std::vector<StoredEnrollment> rows;
  TRY_VOID(to_hub(database_.read([&](sqlite3* db) -> Result<> {
    TRY(rows, EnrollmentTable::list(db, group, page.after, page.count + 1));
    return {};
  })));
  const bool more = rows.size() > page.count;
  if (more) rows.pop_back();
  std::vector<std::string> items;
  for (const auto& row : rows) {
    TRY(const auto enrollment, to_hub(from_stored(row)));
    items.push_back(to_json(enrollment, row.created, row.updated, {}));
  }
  return ProvisioningServiceReply{200, array_of(items), more ? continuation_after(rows.back().id) : std::string(),
                                  group ? "enrollmentGroup" : "enrollment"};
}

ServiceApi::ReplyResult ServiceApi::query_registrations(const std::string& group_id,
                                                        const ProvisioningServiceCall& call) {
  // Some SDKs send the query, others an empty object.
  TRY(const auto page, page_of(call));
  std::vector<state::StoredRegistration> rows;
  TRY_VOID(to_hub(database_.read([&](sqlite3* db) -> Result<> {
    TRY(rows, RegistrationTable::list(db, group_id, page.after, page.count + 1));
    return {};
  })));
  const bool more = rows.size() > page.count;
  if (more) rows.pop_back();
  std::vector<std::string> items;
  for (const auto& row : rows) items.push_back(state_json(row));
  return ProvisioningServiceReply{200, array_of(items),
                                  more ? continuation_after(rows.back().registration_id) : std::string(),
                                  "deviceRegistration"};
}

}  // namespace picket::hub
