#include "intelligence_commands.h"

#include <chrono>
#include <cstdio>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "output.h"

namespace picket::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kContentBytesMax = (8U << 20) - (64U << 10);
constexpr std::size_t kSecretBytesMax = 4096;
constexpr int kPollsMax = 600;
constexpr auto kPoll = std::chrono::milliseconds(500);

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }
std::unexpected<Failure> failure(std::string text) { return std::unexpected(Failure{Exit::failed, std::move(text)}); }

// What options are read into; one program run reads them once.
struct Words {
  std::string name, value, file, secret_file;
  std::string source, transport, format, collection, decay, licence, reference, threat, user, auth_header, ca_file;
  std::string kind, until;
  std::int64_t interval = -1, confidence = -1, life_days = -1, days = 30;
  bool force = false, wait = false, allow = false, disabled = false;
};
Words& words() {
  static Words all;
  return all;
}

std::string feed_path(const std::string& name) { return "/intelligence/feeds/" + percent_encode(name); }

std::string state_of(const json::value& feed) {
  if (const std::string fault = member(feed, "fault"); !fault.empty()) return "fault: " + fault;
  return member(feed, "read").empty() ? "not read yet" : "read " + member(feed, "read");
}

std::string setting(const json::value& feed, const char* name) {
  const auto* settings = feed.as_object().if_contains("settings");
  return settings == nullptr ? std::string() : member(*settings, name);
}

Outcome<void> show_feed(const json::value& feed, bool as_json) {
  if (as_json) {
    print(pretty(feed));
    return {};
  }
  print(fmt::format("{}: {} indicators, {} kept out by warning lists, {} left out; {}\n",
                    printable(member(feed, "name")), member(feed, "indicators"), member(feed, "keptOut"),
                    member(feed, "skipped"), printable(state_of(feed))));
  for (const auto& reason : items_of(feed, "reasons")) {
    print(fmt::format("  left out {}: {} ({})\n", member(reason, "count"), printable(member(reason, "reason")),
                      printable(member(reason, "example"))));
  }
  return {};
}

/// Until the feed was tried again, and no set is being made any more.
Outcome<json::value> wait_for_feed(const Client& client, const std::string& name, const std::string& before) {
  for (int poll = 0; poll < kPollsMax; ++poll) {
    const auto feed = parse(client.get(feed_path(name)));
    if (!feed) return feed;
    if (member(*feed, "tried") != before) {
      const auto set = parse(client.get("/intelligence/set"));
      if (!set) return set;
      if (member(*set, "building") == "false") return parse(client.get(feed_path(name)));
    }
    std::this_thread::sleep_for(kPoll);
  }
  return failure("the feed was not read within five minutes");
}

Outcome<std::string> read_local(const std::string& path, std::size_t bytes_max) {
  auto text = read_file(path, bytes_max);
  if (!text) return failure(fmt::format("{}: {}", path, describe(text.error())));
  return *std::move(text);
}

Outcome<void> upload(const Client& client, const Words& w, bool as_json) {
  const auto content = read_local(w.file, kContentBytesMax);
  if (!content) return std::unexpected(content.error());
  const auto answer = parse(client.put(feed_path(w.name) + "/content" + (w.force ? "?force=true" : ""), *content));
  if (!answer) return std::unexpected(answer.error());
  return show_feed(*answer, as_json);
}

Outcome<void> feed_add(const Client& client, const Words& w, bool as_json) {
  json::object body;
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = value;
  };
  const auto number = [&](const char* name, std::int64_t value) {
    if (value >= 0) body[name] = value;
  };
  text("source", w.source);
  text("transport", w.transport);
  text("format", w.format);
  text("collection", w.collection);
  text("decay", w.decay);
  text("licence", w.licence);
  text("reference", w.reference);
  text("threat", w.threat);
  text("user", w.user);
  text("authHeader", w.auth_header);
  text("caFile", w.ca_file);
  number("intervalMinutes", w.interval);
  number("confidence", w.confidence);
  number("lifeDays", w.life_days);
  if (w.disabled) body["enabled"] = false;
  if (!w.secret_file.empty()) {
    const auto secret = read_local(w.secret_file, kSecretBytesMax);
    if (!secret) return std::unexpected(secret.error());
    body["secret"] = secret->substr(0, secret->find_last_not_of(" \r\n") + 1);
  }
  const auto before = client.get(feed_path(w.name));
  const auto known = before ? parse(before) : Outcome<json::value>(json::object());
  const auto answer = parse(client.put(feed_path(w.name), json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  if (!w.file.empty()) return upload(client, w, as_json);
  if (!w.wait || w.source.empty() || w.disabled) return show_feed(*answer, as_json);
  const auto done = wait_for_feed(client, w.name, known ? member(*known, "tried") : std::string());
  if (!done) return std::unexpected(done.error());
  return show_feed(*done, as_json);
}

Outcome<void> feed_list(const Client& client, bool as_json) {
  const auto answer = parse(client.get("/intelligence/feeds"));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  Table table({"FEED", "SOURCE", "EVERY", "INDICATORS", "KEPT OUT", "LEFT OUT", "STATE"}, 60);
  for (const auto& feed : items_of(*answer)) {
    const std::string minutes = setting(feed, "intervalMinutes");
    table.add({member(feed, "name"), setting(feed, "source"), minutes == "0" ? "on request" : minutes + " min",
               member(feed, "indicators"), member(feed, "keptOut"), member(feed, "skipped"), state_of(feed)});
  }
  print(table.text());
  return {};
}

Outcome<void> feed_refresh(const Client& client, const Words& w, bool as_json) {
  const auto before = parse(client.get(feed_path(w.name)));
  if (!before) return std::unexpected(before.error());
  const auto asked = client.post(feed_path(w.name) + "/refresh" + (w.force ? "?force=true" : ""), "{}");
  if (!asked) return std::unexpected(asked.error());
  if (!w.wait) {
    print(fmt::format("{} is read soon; 'picket intelligence feed list' shows what came of it.\n", printable(w.name)));
    return {};
  }
  const auto done = wait_for_feed(client, w.name, member(*before, "tried"));
  if (!done) return std::unexpected(done.error());
  return show_feed(*done, as_json);
}

Outcome<void> feed_remove(const Client& client, const Words& w) {
  const auto done = client.remove(feed_path(w.name));
  if (!done) return std::unexpected(done.error());
  print(fmt::format("{} is gone; its indicators leave with the next set.\n", printable(w.name)));
  return {};
}

Outcome<void> indicator_add(const Client& client, const Words& w) {
  json::object body{{"value", w.value}, {"allowed", w.allow}};
  if (!w.kind.empty()) body["kind"] = w.kind;
  if (w.confidence > 0) body["confidence"] = w.confidence;
  if (!w.until.empty()) body["until"] = w.until;
  if (!w.threat.empty()) body["threat"] = w.threat;
  if (!w.reference.empty()) body["reference"] = w.reference;
  const auto answer = parse(client.post("/intelligence/indicators", json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  print(fmt::format("{} {} {} from the next set on.\n", member(*answer, "kind"), printable(member(*answer, "value")),
                    w.allow ? "raises nothing" : "is an indicator"));
  if (const std::string list = member(*answer, "warningList"); !list.empty()) {
    print(fmt::format("It raises nothing all the same: the warning list '{}' speaks for it.\n", printable(list)));
  }
  return {};
}

Outcome<void> indicator_list(const Client& client, bool as_json) {
  json::array all;
  std::string cursor;
  do {
    const auto answer = parse(client.get("/intelligence/indicators?limit=500" +
                                         (cursor.empty() ? std::string() : "&cursor=" + percent_encode(cursor))));
    if (!answer) return std::unexpected(answer.error());
    for (const auto& item : items_of(*answer)) all.push_back(item);
    cursor = member(*answer, "cursor");
  } while (!cursor.empty());
  if (as_json) {
    print(pretty(all));
    return {};
  }
  Table table({"KIND", "VALUE", "IS", "CONFIDENCE", "UNTIL", "THREAT", "BY"}, 60);
  for (const auto& item : all) {
    table.add({member(item, "kind"), member(item, "value"),
               member(item, "allowed") == "true" ? "allowed" : "an indicator", member(item, "confidence"),
               member(item, "until"), member(item, "threat"), member(item, "user")});
  }
  print(table.text());
  return {};
}

/// The kind is found by asking what the value is.
Outcome<void> indicator_remove(const Client& client, const Words& w) {
  std::string kind = w.kind;
  std::string value = w.value;
  if (kind.empty()) {
    const auto what = parse(client.get("/intelligence/lookup?value=" + percent_encode(w.value)));
    if (!what) return std::unexpected(what.error());
    kind = member(*what, "kind");
    value = member(*what, "value");
  }
  const auto done = client.remove("/intelligence/indicators/" + kind + "/" + percent_encode(value));
  if (!done) return std::unexpected(done.error());
  print(fmt::format("{} is no indicator of yours any more.\n", printable(value)));
  return {};
}

Outcome<void> look_up(const Client& client, const Words& w, bool as_json) {
  const auto found = parse(client.get("/intelligence/lookup?value=" + percent_encode(w.value)));
  if (!found) return std::unexpected(found.error());
  if (as_json) {
    print(pretty(*found));
    return {};
  }
  const std::string what = member(*found, "kind") + " " + printable(member(*found, "value"));
  if (const std::string list = member(*found, "warningList"); !list.empty()) {
    print(fmt::format("{} is on the warning list '{}'.\n", what, printable(list)));
  }
  if (member(*found, "listed") != "true") {
    print(what + " is not listed.\n");
    return {};
  }
  print(fmt::format("{} is listed by {} {}:\n", what, member(*found, "indicatorKind"),
                    printable(member(*found, "indicator"))));
  Table table({"FEED", "CONFIDENCE", "SINCE", "UNTIL", "THREAT", "REFERENCE"}, 60);
  for (const auto& source : items_of(*found, "sources")) {
    table.add({member(source, "feed"), member(source, "confidence"), member(source, "from"), member(source, "until"),
               member(source, "threat"), member(source, "reference")});
  }
  print(table.text());
  return {};
}

Outcome<void> status(const Client& client, bool as_json) {
  const auto set = parse(client.get("/intelligence/set"));
  if (!set) return std::unexpected(set.error());
  if (as_json) {
    print(pretty(*set));
    return {};
  }
  if (member(*set, "version").empty()) {
    print("No set of indicators was made yet.\n");
    return {};
  }
  print(fmt::format("Set {} of {}: {} indicators, {} entries of warning lists, {} bytes{}.\n", member(*set, "version"),
                    member(*set, "made"), member(*set, "indicators"), member(*set, "warnings"), member(*set, "bytes"),
                    member(*set, "building") == "true" ? "; the next one is being made" : ""));
  return {};
}

Outcome<json::value> find_hunt(const Client& client, const std::string& id) {
  const auto hunts = parse(client.get("/intelligence/retro-hunts"));
  if (!hunts) return hunts;
  for (const auto& hunt : items_of(*hunts)) {
    if (member(hunt, "id") == id) return hunt;
  }
  return failure(id + " is not there");
}

Outcome<void> hunt_start(const Client& client, const Words& w, bool as_json) {
  const auto started = parse(client.post("/intelligence/retro-hunts", json::serialize(json::object{{"days", w.days}})));
  if (!started) return std::unexpected(started.error());
  const std::string id = member(*started, "id");
  if (!w.wait) {
    print(fmt::format("{} was started; 'picket intelligence retro-hunt list' shows what came of it.\n", id));
    return {};
  }
  for (int poll = 0; poll < kPollsMax; ++poll) {
    const auto hunt = find_hunt(client, id);
    if (!hunt) return std::unexpected(hunt.error());
    const std::string state = member(*hunt, "status");
    if (state == "done" || state == "failed") {
      if (as_json) print(pretty(*hunt));
      if (!as_json)
        print(fmt::format("{}: {}, {} hits. {}\n", id, state, member(*hunt, "hits"), member(*hunt, "note")));
      if (state == "failed") return failure(member(*hunt, "note"));
      return {};
    }
    std::this_thread::sleep_for(kPoll);
  }
  return failure("the hunt was not done within five minutes");
}

Outcome<void> hunt_list(const Client& client, bool as_json) {
  const auto hunts = parse(client.get("/intelligence/retro-hunts"));
  if (!hunts) return std::unexpected(hunts.error());
  if (as_json) {
    print(pretty(items_of(*hunts)));
    return {};
  }
  Table table({"HUNT", "SET", "DAYS", "STATE", "STARTED", "HITS", "NOTE"}, 60);
  for (const auto& hunt : items_of(*hunts)) {
    table.add({member(hunt, "id"), member(hunt, "set"), member(hunt, "days"), member(hunt, "status"),
               member(hunt, "started"), member(hunt, "hits"), member(hunt, "note")});
  }
  print(table.text());
  return {};
}

CLI::App* named(CLI::App* command) {
  command->add_option("NAME", words().name, "name of the feed: a-z, 0-9, '-', '_', '.'")->required();
  return command;
}

void add_feeds(CLI::App& intelligence, const OnClient& on_client, const bool& as_json) {
  Words& w = words();
  auto* feed = intelligence.add_subcommand("feed", "sources of indicators and of warning lists");
  feed->require_subcommand(1);
  auto* add = named(feed->add_subcommand("add", "add a feed or replace its settings, and read it"));
  auto* source = add->add_option("--source", w.source, "http(s) URL, or absolute path of a file or folder there");
  add->add_option("--file", w.file, "a file of this machine: its content is uploaded, there is no source")
      ->excludes(source);
  add->add_option("--transport", w.transport, "document (default), taxii, misp-feed");
  add->add_option("--format", w.format, "auto (default), plain, csv, json, stix, misp, warning-list");
  add->add_option("--collection", w.collection, "of TAXII: id, alias or title; all that may be read without it");
  add->add_option("--interval", w.interval, "minutes between reads, 5 at least; 0: on request (default)");
  add->add_option("--confidence", w.confidence, "1 to 100, of indicators that come without one (default 70)");
  add->add_option("--life-days", w.life_days, "of indicators that come without an end (default 90); 0: for ever");
  add->add_option("--decay", w.decay, "how confidence falls with age: none (default), linear, late");
  add->add_option("--licence", w.licence, "under which its content stands; travels with its alerts");
  add->add_option("--reference", w.reference, "where people read about the feed");
  add->add_option("--threat", w.threat, "of indicators that come without one");
  add->add_option("--user", w.user, "user of basic authentication");
  add->add_option("--auth-header", w.auth_header, "header that carries the secret, e.g. Auth-Key; else: bearer");
  add->add_option("--secret-file", w.secret_file, "file with the password, token or key");
  add->add_option("--ca-file", w.ca_file, "PEM on the server that the source's certificate must lead to");
  add->add_flag("--disabled", w.disabled, "keep it, but do not read it and leave its indicators out");
  add->add_flag("--force", w.force, "of --file: also when it shrinks by more than half");
  add->add_flag("--wait", w.wait, "until it was read and its indicators are in force");
  on_client(add, [&](const Client& client) { return feed_add(client, w, as_json); });
  on_client(feed->add_subcommand("list", "list feeds and how they do"),
            [&](const Client& client) { return feed_list(client, as_json); });
  auto* refresh = named(feed->add_subcommand("refresh", "read a feed now"));
  refresh->add_flag("--force", w.force, "also what has not changed, or shrinks by more than half");
  refresh->add_flag("--wait", w.wait, "until it was read and its indicators are in force");
  on_client(refresh, [&](const Client& client) { return feed_refresh(client, w, as_json); });
  on_client(named(feed->add_subcommand("remove", "remove a feed with its indicators")),
            [&](const Client& client) { return feed_remove(client, w); });
}

void add_indicators(CLI::App& intelligence, const OnClient& on_client, const bool& as_json) {
  Words& w = words();
  auto* indicator = intelligence.add_subcommand("indicator", "indicators of your own, and what is known of one");
  indicator->require_subcommand(1);
  const auto valued = [&](CLI::App* command) {
    command->add_option("VALUE", w.value, "address, network, name, URL, path or hash; defanged is fine")->required();
    return command;
  };
  auto* add = valued(indicator->add_subcommand("add", "add an indicator, or something that never is one"));
  add->add_option("--kind", w.kind, "where its form does not tell, e.g. ja3, certificate_sha1");
  add->add_option("--confidence", w.confidence, "1 to 100 (default 100)")->check(CLI::Range(1, 100));
  add->add_option("--until", w.until, "day or time at which it ends");
  add->add_option("--threat", w.threat, "what it is a sign of");
  add->add_option("--reference", w.reference, "where to read more");
  add->add_flag("--allow", w.allow, "not an indicator: nothing that feeds say of it counts here");
  on_client(add, [&](const Client& client) { return indicator_add(client, w); });
  on_client(indicator->add_subcommand("list", "list your own"),
            [&](const Client& client) { return indicator_list(client, as_json); });
  auto* remove = valued(indicator->add_subcommand("remove", "remove one of your own"));
  remove->add_option("--kind", w.kind, "where its form does not tell; VALUE is then as listed");
  on_client(remove, [&](const Client& client) { return indicator_remove(client, w); });
  on_client(valued(indicator->add_subcommand("lookup", "what feeds say of something, as a device would be seen")),
            [&](const Client& client) { return look_up(client, w, as_json); });
}

}  // namespace

void add_intelligence(CLI::App& intelligence, const OnClient& on_client, const bool& as_json) {
  Words& w = words();
  add_feeds(intelligence, on_client, as_json);
  add_indicators(intelligence, on_client, as_json);
  on_client(intelligence.add_subcommand("status", "the set of indicators in force"),
            [&](const Client& client) { return status(client, as_json); });
  auto* hunt = intelligence.add_subcommand("retro-hunt", "look for indicators in the events that are stored");
  hunt->require_subcommand(1);
  auto* start = hunt->add_subcommand("start", "look for everything in force; what is new is looked for by itself");
  start->add_option("--days", w.days, "how far back")->check(CLI::Range(1, 365))->capture_default_str();
  start->add_flag("--wait", w.wait, "until it is done");
  on_client(start, [&](const Client& client) { return hunt_start(client, w, as_json); });
  on_client(hunt->add_subcommand("list", "list hunts, the newest first"),
            [&](const Client& client) { return hunt_list(client, as_json); });
}

}  // namespace picket::cli
