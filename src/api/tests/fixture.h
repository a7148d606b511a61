// A whole API server on loopback, over TLS, with everything behind it that a test needs to see and to steer.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/event_rate.h"
#include "api/server.h"
#include "base/core/random.h"
#include "http_client.h"
#include "hub/command_service.h"
#include "hub/hub_administration.h"
#include "hub/method_broker.h"
#include "hub/twins.h"
#include "net/certificate_authority.h"
#include "state/table_retention.h"

namespace picket::api::testing {

inline constexpr ScryptCost kCheap{.n = 16, .r = 1, .p = 1};

/// Moves when it is told to, from any thread.
class TestClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp{1'795'000'000'000'000} + Duration{offset_.load()}; }
  [[nodiscard]] Duration monotonic() const override { return Duration::hours(1) + Duration{offset_.load()}; }
  void advance(Duration by) { offset_ += by.us; }

 private:
  std::atomic<std::int64_t> offset_{0};
};

class FakePresence final : public Presence {
 public:
  [[nodiscard]] Activity device(std::string_view, std::string_view device_id) const override {
    const auto found = activities.find(device_id);
    return found == activities.end() ? Activity{} : found->second;
  }
  [[nodiscard]] Activity module(std::string_view, std::string_view, std::string_view) const override { return {}; }
  void revoke(std::string_view, std::string_view device_id) override { revoked.emplace_back(device_id); }

  std::map<std::string, Activity, std::less<>> activities;
  std::vector<std::string> revoked;
};

class FakeDesk final : public AlertDesk {
 public:
  FakeDesk(state::Alerts& alerts, state::Incidents& incidents) : alerts_(alerts), incidents_(incidents) {}
  Result<state::Alert> triage(const state::Triage& triage) override {
    state::Triage numbered = triage;
    numbered.sequence = ++sequence_;
    return alerts_.apply(numbered, "1");
  }
  Result<state::Incident> triage(const state::IncidentTriage& triage) override {
    state::IncidentTriage numbered = triage;
    numbered.sequence = ++sequence_;
    return incidents_.apply(numbered, "1");
  }

 private:
  state::Alerts& alerts_;
  state::Incidents& incidents_;
  std::uint64_t sequence_ = 1000;
};

class FakeHealth final : public Health {
 public:
  [[nodiscard]] std::vector<CounterGroup> counters() const override {
    return {{"hub", {{"connections", 3}}}, {"journal", {}}, {"pipeline", {}}, {"workspace", {}}};
  }
  [[nodiscard]] Lag lag() const override { return {7, 1.5}; }
  [[nodiscard]] std::vector<pipeline::RuleLoad> rule_loads() const override { return loads; }
  [[nodiscard]] DeadLetters dead_letters() const override { return {2, 1}; }
  [[nodiscard]] std::vector<MinuteCount> events_per_minute(Timestamp now) const override {
    return rate.per_minute(now);
  }
  [[nodiscard]] double events_per_second(Timestamp now) const override { return rate.per_second(now); }
  EventRate rate;
  std::vector<pipeline::RuleLoad> loads;
};

/// Answers queries with what the test put in, and remembers them.
class FakeWorkspace final : public workspace::Workspace {
 public:
  [[nodiscard]] std::vector<std::string> streams() const override { return {}; }
  Result<> append(std::string_view, std::uint64_t, std::span<const workspace::Row>) override { return {}; }
  [[nodiscard]] std::uint64_t sealed_through(std::string_view) const override { return 0; }
  [[nodiscard]] std::uint64_t hot_end(std::string_view) const override { return 0; }
  [[nodiscard]] std::uint64_t dropped_through(std::string_view) const override { return 0; }
  void request_seal(std::string_view) override {}
  Result<> flush() override { return {}; }
  Result<> maintain() override { return {}; }
  workspace::QueryOutcome query(const workspace::QueryRequest& request) override {
    const std::scoped_lock lock(mutex_);
    last = request;
    return answer ? answer(request) : workspace::QueryOutcome(workspace::QueryResult{});
  }
  [[nodiscard]] workspace::WorkspaceStats stats() const override { return {}; }
  [[nodiscard]] std::vector<workspace::TableStats> tables() const override { return table_list; }
  [[nodiscard]] std::vector<workspace::DamagedFile> damaged() const override { return damaged_files; }
  Result<> set_retention(std::string_view table, std::optional<workspace::TableRetention> retention) override {
    for (auto& one : table_list) {
      if (one.table == table) one.retention = retention.value_or(workspace::TableRetention{Duration::days(30), {}});
    }
    return {};
  }

  std::vector<workspace::TableStats> table_list;
  std::vector<workspace::DamagedFile> damaged_files;

  std::function<workspace::QueryOutcome(const workspace::QueryRequest&)> answer;
  workspace::QueryRequest last;

 private:
  std::mutex mutex_;
};

inline kql::Schema small_schema() {
  kql::Schema schema;
  schema.tables.push_back({.name = "T",
                           .columns = {{.name = "TimeGenerated", .type = kql::Type::datetime},
                                       {.name = "Name", .type = kql::Type::string},
                                       {.name = "N", .type = kql::Type::int64}},
                           .time_column = "TimeGenerated"});
  schema.tables.push_back({.name = "DeviceEvents",
                           .columns = {{.name = "TimeGenerated", .type = kql::Type::datetime},
                                       {.name = "DeviceId", .type = kql::Type::string},
                                       {.name = "RawEventName", .type = kql::Type::string},
                                       {.name = "EventDetails", .type = kql::Type::string},
                                       {.name = "AgentVersion", .type = kql::Type::string}},
                           .time_column = "TimeGenerated"});
  return schema;
}

/// Keeps what was written, and routes everything to "all".
class FakeRouteDesk final : public RouteDesk {
 public:
  [[nodiscard]] std::string read(std::string_view) const override { return document; }
  hub::HubResult<> write(std::string_view, std::string_view json, const state::Actor&) override {
    if (json.empty()) return hub::hub_fail(hub::kArgumentInvalid, "routes: empty");
    document = json;
    return {};
  }
  [[nodiscard]] hub::HubResult<std::vector<std::string>> test(std::string_view,
                                                              const hub::RoutedMessage& message) const override {
    return std::vector<std::string>{message.event.properties.empty() ? "all" : message.event.properties[0].second};
  }
  std::string document = "{}";
};

/// Remembers what was put in force.
class FakeResponseDesk final : public ResponseDesk {
 public:
  [[nodiscard]] ResponsePublicKeys public_keys() const override { return {.current = "a public key", .next = {}}; }
  [[nodiscard]] Result<SignedResponse> sign(const ResponseOrder& order, Timestamp) const override {
    return SignedResponse{.id = "command-1", .payload = R"({"command":")" + order.generation_id + R"("})"};
  }
};

class FakeIntelligenceDesk final : public IntelligenceDesk {
 public:
  Result<> replace(std::string_view name, std::string_view version, std::string_view body) override {
    if (broken) return fail(Errc::unavailable, "test");
    put = {std::string(name), std::string(version), std::string(body)};
    return {};
  }
  std::vector<std::string> put;
  bool broken = false;
};

/// Rules run unless their query says "broken"; each run of a trial has as many rows as the query has characters.
class FakeAnalyticsDesk final : public AnalyticsDesk {
 public:
  [[nodiscard]] std::optional<std::string> problem(const analytics::Rule& rule) const override {
    return rule.query == "broken" ? std::optional<std::string>("it is broken") : std::nullopt;
  }
  [[nodiscard]] std::vector<RuleTrial> try_out(const analytics::Rule& rule, Timestamp from, Timestamp to,
                                               const std::stop_token&) const override {
    RuleTrial trial{.window = {from, to}, .rows = static_cast<std::int64_t>(rule.query.size())};
    trial.alerts =
        analytics::evaluate(rule, {.columns = {"A"}, .rows = {{"x"}}, .rows_total = trial.rows}, trial.window);
    return {trial};
  }
};

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    std::filesystem::create_directories(folder_ + "/portal/assets");
    write("portal/index.html", "<!doctype html>portal");
    write("portal/assets/app-1a2b.js", "export {}");
    write("secret.txt", "not for the world");
    database_ = state::Database::open(folder_ + "/state.sqlite").value();
    identity_ = net::open_or_create_server_identity(folder_, {}, system_clock().now()).value();
    tls_ = net::TlsContext::create(
               {.certificate_pem = identity_.certificate_pem, .private_key_pem = identity_.private_key_pem})
               .value();
    users_.emplace(*database_);
    devices_.emplace(*database_);
    alerts_.emplace(*database_);
    outbox_.emplace(*database_);
    incidents_.emplace(*database_);
    suppressions_.emplace(*database_);
    solutions_.emplace(*database_);
    table_retentions_.emplace(*database_);
    desk_.emplace(*alerts_, *incidents_);
    recommendations_.emplace(*database_);
    posture_.emplace(*database_);
    rules_.emplace(*database_);
    saved_queries_.emplace(*database_);
    analytics_.emplace(*database_);
    security_groups_.emplace(*database_);
    twins_ = std::make_unique<hub::Twins>(*database_, clock_);
    hubs_ = std::make_unique<hub::HubAdministration>(*database_, hub_settings_, clock_, "0b5e2a52");
    EXPECT_TRUE(hubs_->load({.name = "picket"}).has_value());
    // No device is connected here.
    methods_ = hub::make_methods(
        [](const hub::IdentityKey&, hub::Notification, std::move_only_function<void(bool)> taken) { taken(false); },
        clock_,
        {.exists = [this](const hub::IdentityKey& key) { return devices_->find(key.hub, key.device_id).has_value(); }});
    commands_ = hub::make_commands(*database_, hub::TellWaiting([](const hub::IdentityKey&) {}), clock_);
    for (const auto role : {state::Role::reader, state::Role::contributor, state::Role::admin})
      add_user(name_of(role), role);
  }
  ~ApiTest() override {
    if (server_) server_->stop();
    threads_.stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void start(ServerOptions options = {}) {
    options.portal_directory = folder_ + "/portal";
    options.scrypt = kCheap;
    server_ = Server::start(threads_, tls_.get(), options,
                            {.devices = *devices_,
                             .users = *users_,
                             .alerts = *alerts_,
                             .outbox = *outbox_,
                             .workspace = workspace_,
                             .kql_schema = schema_,
                             .presence = presence_,
                             .alert_desk = *desk_,
                             .health = health_,
                             .clock = clock_,
                             .hub = "picket",
                             .host_name = "picket.local",
                             .installation_id = "0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10",
                             .version = "0.1.0",
                             .twins = twins_.get(),
                             .methods = methods_.get(),
                             .commands = commands_.get(),
                             .recommendations = &*recommendations_,
                             .posture = &*posture_,
                             .rules = &*rules_,
                             .security_groups = &*security_groups_,
                             .routes = &route_desk_,
                             .secrets_directory = folder_,
                             .hubs = hubs_.get(),
                             .hub_settings = &hub_settings_,
                             .id_scope = "0ne0A1B2C3D",
                             .intelligence = &intelligence_,
                             .response = &response_desk_,
                             .saved_queries = &*saved_queries_,
                             .analytics = &*analytics_,
                             .analytics_desk = &analytics_desk_,
                             .incidents = &*incidents_,
                             .suppressions = &*suppressions_,
                             .solutions = &*solutions_,
                             .table_retentions = &*table_retentions_},
                            live_)
                  .value();
    client_.emplace("https://localhost:" + std::to_string(server_->port()), folder_ + "/ca.crt");
  }

  static std::string name_of(state::Role role) {
    return role == state::Role::admin ? "root" : role == state::Role::contributor ? "editor" : "viewer";
  }
  static std::string secret_of(std::string_view user) { return std::string(user) + "-secret-of-12"; }
  void add_user(const std::string& name, state::Role role) {
    ASSERT_TRUE(users_
                    ->add({.name = name,
                           .role = role,
                           .secret_hash = hash_secret(secret_of(name), kCheap).value(),
                           .created = clock_.now(),
                           .secret_changed = clock_.now()},
                          {"test", ""})
                    .has_value());
  }
  static Credentials bearer(state::Role role) { return {.bearer = name_of(role) + ":" + secret_of(name_of(role))}; }
  static Credentials admin() { return bearer(state::Role::admin); }

  Reply sign_in(std::string_view user, std::string_view secret, const Credentials& who = {}) const {
    return client_->call("POST", "/api/v1/sign-in",
                         R"({"user":")" + std::string(user) + R"(","secret":")" + std::string(secret) + R"("})", who);
  }
  static Credentials session_of(const Reply& reply) {
    const std::string text = reply.header("set-cookie");
    const std::size_t begin = text.find('=') + 1;
    return {.cookie = text.substr(begin, text.find(';') - begin),
            .csrf = std::string(reply.json().at("csrf_token").as_string()),
            .bearer = {}};
  }
  void write(const std::string& name, std::string_view content) const {
    std::ofstream(folder_ + "/" + name) << content;
  }

  void add_alert(const std::string& id, const std::string& severity, const std::string& device) {
    state::Alert alert{.alert_id = id,
                       .alert_type = "IoT_ReverseShell",
                       .display_name = "Reverse shell",
                       .severity = severity,
                       .hub = "picket",
                       .device_id = device,
                       .start = clock_.now(),
                       .end = clock_.now(),
                       .updated = clock_.now()};
    alert.json =
        R"({"Description":"what happened","RemediationSteps":["one"],"Tactics":["Execution"],"Techniques":["T1059"],"SubTechniques":[],"Rule":"reverse_shell",)"
        R"("ExtendedProperties":{"Remote Address":"192.0.2.1"},"Entities":[{"Type":"ip","Address":"192.0.2.1"}],)"
        R"("Evidence":[{"Position":41,"Event":0,"Item":1,"IoTRawEventId":"e-1","TimeGenerated":"2026-11-18T00:00:00.000000Z"}],"EvidenceCount":1})";
    ASSERT_TRUE(alerts_->apply(alert, "1").has_value());
  }

  std::string folder_ = (std::filesystem::temp_directory_path() / ("api-" + random_uuid())).string();
  net::IoThreads threads_{2};
  TestClock clock_;
  std::unique_ptr<state::Database> database_;
  net::ServerIdentity identity_;
  std::unique_ptr<net::TlsContext> tls_;
  std::optional<state::Users> users_;
  std::optional<state::Devices> devices_;
  std::optional<state::Recommendations> recommendations_;
  std::optional<state::Posture> posture_;
  std::optional<state::Rules> rules_;
  std::optional<state::SavedQueries> saved_queries_;
  std::optional<state::Analytics> analytics_;
  FakeAnalyticsDesk analytics_desk_;
  std::optional<state::SecurityGroups> security_groups_;
  FakeRouteDesk route_desk_;
  FakeIntelligenceDesk intelligence_;
  FakeResponseDesk response_desk_;
  std::unique_ptr<hub::Twins> twins_;
  hub::HubSettingsStore hub_settings_;
  std::unique_ptr<hub::HubAdministration> hubs_;
  std::unique_ptr<hub::MethodBroker> methods_;
  std::unique_ptr<hub::CommandService> commands_;
  std::optional<state::Alerts> alerts_;
  std::optional<state::Incidents> incidents_;
  std::optional<state::Suppressions> suppressions_;
  std::optional<state::Solutions> solutions_;
  std::optional<state::TableRetentions> table_retentions_;
  std::optional<state::Outbox> outbox_;
  std::optional<FakeDesk> desk_;
  FakePresence presence_;
  FakeHealth health_;
  FakeWorkspace workspace_;
  kql::Schema schema_ = small_schema();
  Live live_{"test"};
  std::unique_ptr<Server> server_;
  std::optional<HttpClient> client_;
};

}  // namespace picket::api::testing
