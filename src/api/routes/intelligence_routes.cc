// Tables that detections go by: networks with their countries and autonomous systems.
#include <boost/json.hpp>

#include "../json_body.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "pipeline/prefixes.h"

namespace picket::api {
namespace {

constexpr std::string_view kCountry = "country";
constexpr std::string_view kRecordKind = "intelligence.set";
constexpr std::size_t kHistoryStep = 1000;
constexpr std::size_t kHistorySteps = 20;
constexpr std::size_t kVersionDigits = 16;

struct Table {
  std::string version;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

std::string record_of(const Call& call, const Table& table, std::string_view outcome) {
  JsonWriter out;
  out.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  out.key("hub").value(call.parts.services.hub).key("object").value(kCountry).key("version").value(table.version);
  out.key("entries").value(table.entries).key("bytes").value(table.bytes).key("outcome").value(outcome);
  return out.end_object().take();
}

/// The newest record that says a table was put in force; nullopt: none is known.
std::optional<state::OutboxRecord> newest(const Services& services) {
  std::int64_t before = 0;
  for (std::size_t step = 0; step < kHistorySteps; ++step) {
    const auto page = services.outbox.history(before, kHistoryStep);
    if (!page || page->empty()) return std::nullopt;
    for (const auto& record : *page) {
      if (record.kind == kRecordKind && record.body.find("\"succeeded\"") != std::string::npos) return record;
    }
    before = page->back().id;
  }
  return std::nullopt;
}

}  // namespace

Answer list_intelligence(Call& call) {
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  if (const auto found = newest(call.parts.services)) {
    boost::system::error_code failed;
    const auto body = boost::json::parse(found->body, failed);
    if (!failed && body.is_object()) {
      out.begin_object().key("name").value(kCountry).key("set").value(found->created);
      for (const char* member : {"version", "entries", "bytes", "actor"}) {
        if (const auto* value = body.get_object().if_contains(member)) {
          out.key(member).raw(boost::json::serialize(*value));
        }
      }
      out.end_object();
    }
  }
  return Response::json(out.end_array().end_object().take());
}

/// The whole table in place of the old one, or nothing.
Answer put_intelligence(Call& call) {
  const Services& services = call.parts.services;
  if (services.intelligence == nullptr) return std::unexpected(ApiError{.code = "not_implemented"});
  if (call.path_values[0] != kCountry) return std::unexpected(ApiError{.code = "not_found", .target = "table"});
  const std::string& csv = call.request.body;
  const auto entries = pipeline::check_prefixes(csv);
  if (!entries) {
    const auto& fault = entries.error();
    const std::string where = fault.line == 0 ? std::string() : "line " + std::to_string(fault.line) + ": ";
    return std::unexpected(invalid("table", where + fault.text));
  }
  const Table table{to_hex(sha256(as_bytes(csv))).substr(0, kVersionDigits), *entries, csv.size()};
  const auto done = services.intelligence->replace(pipeline::kPrefixes, table.version, csv);
  const auto recorded =
      services.outbox.record(kRecordKind, "", record_of(call, table, done ? "succeeded" : "failed"), call.now());
  if (!done) return api_error(done.error(), "table");
  if (!recorded) return api_error(recorded.error(), "audit");
  JsonWriter out;
  out.begin_object().key("name").value(kCountry).key("version").value(table.version);
  out.key("entries").value(table.entries).key("bytes").value(table.bytes);
  return Response::json(out.end_object().take());
}

}  // namespace picket::api
