#include "retro_hunt.h"

#include <algorithm>
#include <charconv>

#include "intelligence/matcher.h"

namespace picket::server {
namespace {

using intelligence::Match;
using intelligence::Matcher;
using pipeline::SightingKind;

constexpr Duration kQueryTimeout = Duration::minutes(2);
constexpr std::size_t kResultBytesMax = 512U << 20;
constexpr std::size_t kHuntRowsAtOnce = 200'000;  ///< Of more than a day; beyond them the time is divided.

/// What devices were seen with on one day: the device, the thing, and a second text where its kind needs one.
struct Question {
  std::string_view table;
  std::string_view thing;
  std::string_view second;
  std::string_view where;
  enum class Of : std::uint8_t { connections, names, logins, commands, files } of;
};
constexpr Question kQuestions[] = {
    {"NetworkEvents", R"("RemoteAddress")", R"(CASE WHEN "Direction" = 'In' THEN 'In' ELSE "RemotePort" END)",
     R"("RawEventName" = 'ConnectionCreate' AND "RemoteAddress" <> '' AND NOT (coalesce("Direction", '') = 'In' AND coalesce("Result", '') = 'Fail'))",
     Question::Of::connections},
    {"NetworkEvents", R"("QueryName")", "''", R"("RawEventName" = 'Dns' AND "QueryName" <> '')", Question::Of::names},
    {"LoginEvents", R"("RemoteAddress")", "''",
     R"("RawEventName" = 'Login' AND "Result" = 'Success' AND coalesce("Operation", '') <> 'Logout' AND "RemoteAddress" <> '')",
     Question::Of::logins},
    {"ProcessEvents", R"("CommandLine")", "''",
     R"("RawEventName" = 'ProcessCreate' AND ("CommandLine" LIKE '%://%' OR "CommandLine" LIKE '%wget %' OR "CommandLine" LIKE '%curl %' OR "CommandLine" LIKE '%tftp %'))",
     Question::Of::commands},
    {"FileEvents", R"("Hash")", "''", R"("RawEventName" = 'FileSystem' AND "Hash" <> '')", Question::Of::files},
    {"ProcessEvents", R"sql(regexp_extract("EventDetails", '"ExecutableHash":"([0-9A-Fa-f]{64})"', 1))sql", "''",
     R"("RawEventName" = 'ProcessCreate' AND "EventDetails" LIKE '%"ExecutableHash":"%')", Question::Of::files},
};

std::string sql_of(const Question& question) {
  std::string out = R"(SELECT "Hub", "DeviceId", )";
  out += question.thing;
  out += " AS thing, ";
  out += question.second;
  out += R"( AS other, min("TimeGenerated"), max("TimeGenerated"), count(*), min("_position"), )";
  out += R"(min_by("_event", "_position"), min_by("_item", "_position"), min_by("IoTRawEventId", "_position"))";
  out += R"( FROM ")";
  out += question.table;
  out += R"(" WHERE "TimeGenerated" >= $1 AND "TimeGenerated" < $2 AND )";
  out += question.where;
  out += R"( GROUP BY "Hub", "DeviceId", thing, other)";
  return out;
}

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() ? port : std::uint16_t{0};
}

struct Seen {
  SightingKind kind;
  std::string observed;
  Match match;
};

/// What of a row the index lists.
std::vector<Seen> seen_in(Question::Of of, std::string_view thing, std::string_view other, const Matcher& matcher) {
  std::vector<Seen> out;
  const auto add = [&](SightingKind kind, std::string observed, std::optional<Match> match) {
    if (match) out.push_back({kind, std::move(observed), *std::move(match)});
  };
  switch (of) {
    case Question::Of::connections:
    case Question::Of::logins: {
      const auto address = intelligence::parse_address(thing);
      if (!address) break;
      const std::uint16_t port = port_of(other);
      const auto kind = of == Question::Of::logins ? SightingKind::login
                        : other == "In"            ? SightingKind::inbound
                                                   : SightingKind::connection;
      const auto endpoint = port == 0 ? std::nullopt : intelligence::make_endpoint(*address, port);
      add(kind, intelligence::to_text(endpoint.value_or(*address)), matcher.address(*address, port));
      break;
    }
    case Question::Of::names:
      if (const auto name = intelligence::parse_domain(thing)) {
        add(SightingKind::name, name->key, matcher.domain(name->key));
      }
      break;
    case Question::Of::commands:
      for (const auto& url : intelligence::urls_in(thing)) add(SightingKind::url, url.key, matcher.any(url));
      break;
    case Question::Of::files:
      if (const auto hash = intelligence::parse_file_hash(thing)) {
        add(SightingKind::file, intelligence::to_text(*hash), matcher.exactly(hash->kind, hash->key));
      }
      break;
  }
  return out;
}

class Hunt {
 public:
  explicit Hunt(const HuntRequest& request)
      : request_(request),
        matcher_(request.index, request.now),
        before_(request.before == nullptr ? request.index : *request.before, request.now) {}

  HuntResult run() {
    const Timestamp from = request_.now - Duration::days(request_.days);
    for (const Question& question : kQuestions) {
      ask(question, from, request_.now);
      if (out_.failed) break;
    }
    if (out_.hits.size() >= kHuntHitsMax) out_.note = "ended at " + std::to_string(kHuntHitsMax) + " hits";
    return std::move(out_);
  }

 private:
  /// The whole time at once; where that is too much, each half of it by itself.
  void ask(const Question& question, Timestamp from, Timestamp to) {
    if (out_.failed || out_.hits.size() >= kHuntHitsMax) return;
    if (question.of == Question::Of::files && !lists_files()) return;
    const bool divisible = to - from > Duration::days(1);
    workspace::QueryRequest query;
    query.sql = sql_of(question);
    query.binds = {workspace::Cell::timestamp(from), workspace::Cell::timestamp(to)};
    query.rows_max = divisible ? kHuntRowsAtOnce : kHuntRowsMax;
    query.bytes_max = kResultBytesMax;
    query.timeout = kQueryTimeout;
    query.cancellation = request_.stopping;
    query.time_from = from;
    query.time_to = to;
    const auto found = request_.workspace.query(query);
    if (divisible && (found ? found->truncated : found.error().kind != workspace::QueryError::Kind::cancelled)) {
      const Timestamp middle{from.us + (to.us - from.us) / 2};
      ask(question, middle, to);
      return ask(question, from, middle);
    }
    if (!found) {
      out_.failed = true;
      out_.note = request_.stopping.stop_requested() ? "the server was stopped" : found.error().text;
      return;
    }
    if (found->truncated) out_.note = "days with more than 2,000,000 different things were read in part";
    for (std::size_t row = 0; row < found->rows && out_.hits.size() < kHuntHitsMax; ++row) take(question, *found, row);
  }

  void take(const Question& question, const workspace::QueryResult& found, std::size_t row) {
    const auto text = [&](std::size_t column) {
      const auto cell = found.at(row, column);
      return cell.kind() == workspace::Cell::Kind::text ? cell.as_text() : std::string_view();
    };
    const auto time = [&](std::size_t column) { return found.at(row, column).as_timestamp(); };
    for (Seen& seen : seen_in(question.of, text(2), text(3), matcher_)) {
      if (request_.before != nullptr && !is_new(question.of, seen, text(2), text(3))) continue;
      pipeline::RetroHit hit;
      hit.device = {std::string(text(0)), std::string(text(1)), "", ""};
      hit.sighting = pipeline::sighting_of(seen.kind, seen.observed, seen.match, request_.index);
      hit.first = time(4);
      hit.last = time(5);
      hit.count = static_cast<std::uint64_t>(std::max<std::int64_t>(1, found.at(row, 6).as_integer()));
      hit.evidence = pipeline::EvidenceRow{{static_cast<std::uint64_t>(found.at(row, 7).as_integer()),
                                            static_cast<std::uint32_t>(found.at(row, 8).as_integer()),
                                            static_cast<std::uint32_t>(found.at(row, 9).as_integer())},
                                           std::string(text(10)),
                                           hit.first};
      out_.hits.push_back(std::move(hit));
    }
  }

  /// Whether the set before did not list it: then nobody was told when it happened.
  [[nodiscard]] bool is_new(Question::Of of, const Seen& seen, std::string_view thing, std::string_view other) const {
    const auto earlier = seen_in(of, thing, other, before_);
    return std::ranges::none_of(earlier, [&](const Seen& one) { return one.observed == seen.observed; });
  }
  [[nodiscard]] bool lists_files() const {
    using intelligence::Kind;
    return request_.index.count(Kind::sha256) + request_.index.count(Kind::sha1) + request_.index.count(Kind::md5) > 0;
  }

  const HuntRequest& request_;
  Matcher matcher_;
  Matcher before_;
  HuntResult out_;
};

}  // namespace

HuntResult hunt_in_workspace(const HuntRequest& request) { return Hunt(request).run(); }

}  // namespace picket::server
