#include "server/server.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "activity_reader.h"
#include "activity_sink.h"
#include "alert_list.h"
#include "analytics_runner.h"
#include "api/server.h"
#include "base/core/cursor.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/random.h"
#include "base/server/log.h"
#include "counter_group.h"
#include "data_directory.h"
#include "device_hub.h"
#include "durable_group.h"
#include "health.h"
#include "housekeeper.h"
#include "intelligence_desk.h"
#include "intelligence_keeper.h"
#include "kql/duckdb.h"
#include "kql/location_file.h"
#include "net/certificate_authority.h"
#include "net/io_threads.h"
#include "net/tls_context.h"
#include "pipeline/control_records.h"
#include "pipeline/projector.h"
#include "pipeline/runner.h"
#include "pipeline/tables.h"
#include "pipeline/workspace_sink.h"
#include "presence.h"
#include "query_schema.h"
#include "recommendation_list.h"
#include "response_desk.h"
#include "retention_clock.h"
#include "self_test_confirmer.h"
#include "software_reader.h"
#include "software_reporter.h"
#include "state/table_retention.h"
#include "state_identity_store.h"
#include "triage_desk.h"
#include "triage_source.h"
#include "workspace/tables.h"

namespace picket::server {
namespace {

// A flush costs the processor as much as ten messages: what many devices send within this time shares one.
constexpr Duration kGatherDelay = Duration::milliseconds(4);

/// What still stands is written to the tables again before retention takes the older rows.
Duration whole_reports_every(Duration retention_age) {
  const Duration week = Duration::days(7);
  return retention_age.us == 0 ? week : std::min(week, Duration{std::max<std::int64_t>(retention_age.us / 3, 1)});
}

std::function<void(std::string_view)> log_to(std::string component) {
  return [component = std::move(component)](std::string_view text) { log::write(log::Level::info, component, text); };
}

Result<std::unique_ptr<journal::Journal>> open_journal(const std::string& directory, std::string name,
                                                       std::uint64_t reserve_bytes, Duration gather_delay = {}) {
  journal::EmbeddedOptions options;
  options.gather_delay = gather_delay;
  options.directory = directory;
  options.reserve_bytes = reserve_bytes;
  options.log = log_to(name);
  TRY(auto opened, journal::open_embedded(std::move(options)));
  const journal::OpenReport& report = opened.report;
  if (report.torn_bytes > 0) {
    log::warning(name, "cut {} bytes of an unfinished write from {} at {}", report.torn_bytes, report.torn_file,
                 report.torn_at);
  }
  for (const journal::Corruption& corruption : report.corrupt) {
    log::error(name, "{} is damaged from byte {} to {}: records {} to {} are lost", corruption.file, corruption.begin,
               corruption.end, corruption.first_sequence, corruption.next_sequence - 1);
  }
  return std::move(opened.journal);
}

// Keys the fingerprints by which the pipeline recognises repeated messages; the same at each start, unknown to devices.
Result<SipKey> fingerprint_key(const std::string& secrets) {
  const std::string path = secrets + "/fingerprint.key";
  auto text = read_file(path, 64);
  if (!text && text.error().code == Errc::not_found) {
    std::array<std::byte, 16> key{};
    random_bytes(key);
    text = to_hex(key);
    TRY_VOID(replace_file(path, as_bytes(*text)));
  }
  if (!text) return std::unexpected(text.error());
  TRY(const Buffer bytes, from_hex(*text));
  if (bytes.size() != 16) return fail(Errc::malformed, "secrets.fingerprint_key");
  Cursor in{bytes};
  SipKey out;
  TRY(out.k0, in.le<std::uint64_t>());
  TRY(out.k1, in.le<std::uint64_t>());
  return out;
}

std::string_view name_of(AlertEvent event) {
  switch (event) {
    case AlertEvent::raised:
      return "raised";
    case AlertEvent::updated:
      return "updated";
    case AlertEvent::triaged:
      return "triaged";
  }
  return "updated";
}

/// Members stand in the order in which they depend on each other, so destruction is the right order too.
class EmbeddedServer final : public Server {
 public:
  explicit EmbeddedServer(const Options& options) : options_(options) {}
  ~EmbeddedServer() override { stop(); }

  Result<> start(std::string& detail);
  void stop() override;

 private:
  Result<> open_storage(std::string& detail);
  Result<> open_workspace(std::string& detail);
  Result<> start_pipeline();
  Result<> start_heads(std::string& detail);
  Result<> announce_profile();
  Result<> renew_certificates();
  [[nodiscard]] net::TlsOptions tls_options();
  void renew_hub_tls();
  [[nodiscard]] kql::Schema query_schema_now() const;
  [[nodiscard]] bool has_locations() const;
  [[nodiscard]] api::CounterGroup software_counters() const;
  /// What connection strings name as the host: the first name that the operator gave.
  [[nodiscard]] std::string host_name() const { return options_.names.empty() ? "localhost" : options_.names.front(); }

  Options options_;
  const Clock& clock_ = system_clock();
  std::optional<DataDirectory> data_;
  net::ServerIdentity certificates_;
  std::unique_ptr<state::Database> database_;
  std::optional<state::Devices> devices_;
  std::optional<state::Users> users_;
  std::optional<state::Alerts> alerts_;
  std::optional<state::Incidents> incidents_;
  std::optional<state::Suppressions> suppressions_;
  std::optional<state::Solutions> solutions_;
  std::optional<state::TableRetentions> table_retentions_;
  std::optional<state::Outbox> outbox_;
  std::optional<state::Recommendations> recommendations_;
  std::optional<state::Posture> posture_;
  std::optional<state::Rules> rules_;
  std::optional<state::SavedQueries> saved_queries_;
  std::optional<state::Analytics> analytics_;
  std::optional<state::SecurityGroups> security_groups_;
  std::unique_ptr<journal::Journal> messages_;
  std::unique_ptr<journal::Journal> derived_;
  std::optional<RetentionClock> retention_clock_;
  workspace::Schema schema_ = pipeline::make_workspace_schema();
  kql::Schema query_schema_ = make_query_schema(schema_);
  std::shared_ptr<kql::LocationFile> locations_;  ///< Shared with the function in the engine; nullptr: none named.
  std::unique_ptr<workspace::Workspace> workspace_;
  std::optional<state::Intelligence> intelligence_;
  std::unique_ptr<IntelligenceKeeper> intelligence_keeper_;

  std::optional<api::Live> live_;
  std::optional<Presence> presence_;
  api::EventRate event_rate_;
  api::EventRate dead_letter_rate_;
  std::optional<pipeline::WorkspaceSink> rows_;
  std::optional<ActivitySink> sink_;
  std::unique_ptr<pipeline::Runner> pipeline_;
  SelfTestConfirmer self_tests_;
  std::optional<AlertList> alert_list_;
  std::optional<StateTriageSource> triage_source_;
  std::unique_ptr<pipeline::Projector> alert_table_projector_;
  std::unique_ptr<pipeline::Projector> alert_list_projector_;
  std::optional<RecommendationList> recommendation_list_;
  std::unique_ptr<pipeline::Projector> recommendation_projector_;
  std::unique_ptr<vulnerability::Desk> vulnerability_desk_;
  std::optional<SoftwareReader> software_reader_;
  std::unique_ptr<pipeline::Projector> software_projector_;
  std::optional<SoftwareReporter> software_reporter_;
  std::optional<TriageDesk> triage_desk_;
  std::optional<IntelligenceDesk> intelligence_desk_;
  std::optional<ResponseDesk> response_desk_;
  std::optional<Housekeeper> housekeeper_;
  std::optional<AnalyticsRunner> analytics_runner_;

  std::optional<net::IoThreads> threads_;
  std::mutex tls_mutex_;
  std::unique_ptr<net::TlsContext> tls_;         ///< Of the hub: asks for client certificates.
  std::unique_ptr<net::TlsContext> portal_tls_;  ///< A browser would ask its user for one.
  std::unique_ptr<DeviceHub> hub_;
  std::optional<Health> health_;
  std::unique_ptr<api::Server> api_;
  std::optional<ActivityReader> activity_reader_;
};

Result<> EmbeddedServer::start(std::string& detail) {
  TRY_VOID(open_storage(detail));
  TRY_VOID(open_workspace(detail));
  live_.emplace(std::to_string(clock_.now().us));
  presence_.emplace(*live_);
  TRY_VOID(announce_profile());
  TRY_VOID(start_pipeline());
  TRY_VOID(start_heads(detail));
  housekeeper_->start();
  analytics_runner_->start();
  intelligence_keeper_->start();
  activity_reader_.emplace(*workspace_, *presence_, clock_);
  return {};
}

Result<> EmbeddedServer::open_storage(std::string& detail) {
  auto data = DataDirectory::open(options_.data);
  if (!data) {
    detail = data.error().where == "data.lock" ? fmt::format("another server runs on {}", options_.data)
                                               : fmt::format("data directory {}", options_.data);
    return std::unexpected(data.error());
  }
  data_.emplace(*std::move(data));
  TRY(certificates_, net::open_or_create_server_identity(data_->secrets(), options_.names, clock_.now()));
  TRY(database_, state::Database::open(data_->state_file()));
  devices_.emplace(*database_);
  users_.emplace(*database_);
  alerts_.emplace(*database_);
  incidents_.emplace(*database_);
  suppressions_.emplace(*database_);
  solutions_.emplace(*database_);
  table_retentions_.emplace(*database_);
  outbox_.emplace(*database_);
  recommendations_.emplace(*database_);
  posture_.emplace(*database_);
  rules_.emplace(*database_);
  saved_queries_.emplace(*database_);
  analytics_.emplace(*database_);
  security_groups_.emplace(*database_);
  TRY(const bool first_start, api::make_first_secrets(*users_, data_->secrets(), {}, clock_.now()));
  if (first_start)
    log::info("server", "first start: the sign-in secret of admin is in {}/first-sign-in", data_->secrets());
  TRY(messages_, open_journal(data_->journal(), "journal", options_.reserve_bytes, kGatherDelay));
  TRY(derived_, open_journal(data_->derived(), "derived", 0));
  retention_clock_.emplace(clock_, messages_->stats().last_enqueued);
  return {};
}

Result<> EmbeddedServer::open_workspace(std::string& detail) {
  workspace::DuckdbOptions options;
  options.directory = data_->segments();
  const workspace::Retention retention{options_.retention_age, options_.retention_bytes};
  options.streams = {{std::string(workspace::kMessagesStream), retention},
                     {std::string(workspace::kDerivedStream), retention}};
  for (const auto& [table, kept] : options_.table_retention) {
    if (!schema_.find_table(table)) {
      detail = fmt::format("table_retention names '{}', which is no stored table (picket query '.show tables')", table);
      return fail(Errc::not_found, "server.table_retention");
    }
    options.tables[table] = {kept.keep, kept.archive};
  }
  // Before anything is thrown away by the settings: what operators have decided since.
  TRY(const auto decided, table_retentions_->list());
  for (const state::TableRetentionRow& row : decided) {
    options.tables_set[row.table] = {Duration::days(row.days), Duration::days(row.archive_days)};
  }
  if (!options_.geo_database.empty()) {
    locations_ = std::make_shared<kql::LocationFile>(options_.geo_database);
    const auto read = locations_->refresh();
    if (!read) log::warning("server", "places of addresses in {}: {}", options_.geo_database, describe(read.error()));
  }
  options.register_functions = [locations = locations_](void* connection) {
    auto* const to = static_cast<duckdb_connection>(connection);
    if (!kql::register_kql_functions(to)) return false;
    return locations == nullptr || kql::register_location_function(to, locations).has_value();
  };
  TRY(workspace_, workspace::open_duckdb_workspace(std::move(options), schema_, *retention_clock_, &detail));
  for (const workspace::DamagedFile& file : workspace_->damaged()) log::error("workspace", "{}", sentence(file));
  return {};
}

// Asked before each query: a database that was replaced is read again.
bool EmbeddedServer::has_locations() const {
  if (locations_ == nullptr) return false;
  const auto read = locations_->refresh();
  if (!read) log::warning("server", "places of addresses in {}: {}", locations_->path(), describe(read.error()));
  return locations_->current() != nullptr;
}

kql::Schema EmbeddedServer::query_schema_now() const {
  kql::Schema schema = query_schema_;
  const auto functions = saved_queries_->list(state::SavedKind::function);
  schema.database = options_.hub;
  schema.locations = has_locations();
  if (!functions) return schema;
  for (const state::SavedQuery& function : *functions) schema.functions.push_back({function.name, function.text});
  return schema;
}

// The severity profile is part of what decides a verdict, so it is a record like everything else that does.
Result<> EmbeddedServer::announce_profile() {
  const std::string body =
      pipeline::rules_change_body(options_.parity_profile ? pipeline::Profile::parity : pipeline::Profile::standard);
  const Identity identity{options_.hub, "", "", ""};
  const journal::Record record{.kind = journal::RecordKind::rules_change,
                               .partition = partition_of(identity),
                               .enqueued = clock_.now(),
                               .identity = identity,
                               .properties = {},
                               .body = as_bytes(body)};
  DurableGroup group;
  // A full disk must not keep the server from starting: operators need it then more than ever.
  if (!messages_->append(record, group.expect()) || !group.wait()) {
    log::warning("server", "the journal takes no records now; the severity profile stays as it was");
  }
  return {};
}

Result<> EmbeddedServer::start_pipeline() {
  rows_.emplace(*workspace_);
  sink_.emplace(*rows_, schema_, *presence_, event_rate_, dead_letter_rate_);
  pipeline::RunnerOptions runner;
  runner.checkpoint_directory = data_->checkpoints();
  runner.installation_id = data_->installation_id();
  TRY(runner.fingerprint_key, fingerprint_key(data_->secrets()));
  runner.log = log_to("pipeline");
  intelligence_.emplace(*database_);
  TRY(intelligence_keeper_, IntelligenceKeeper::open({.state = *intelligence_,
                                                      .devices = *devices_,
                                                      .messages = *messages_,
                                                      .workspace = *workspace_,
                                                      .clock = clock_,
                                                      .directory = data_->intelligence(),
                                                      .secrets = data_->secrets() + "/intelligence",
                                                      .hub = options_.hub}));
  runner.open_indicators = intelligence_keeper_->opener();
  TRY(pipeline_, pipeline::start_runner(std::move(runner), *messages_, *derived_, *sink_, clock_));

  const auto alert_changed = [this](AlertEvent event, const state::Alert& alert) {
    live_->alert(api::alert_change_json(name_of(event), alert));
    if (event == AlertEvent::raised) self_tests_.raised(alert);
    live_->device_changed(alert.device_id);
  };
  alert_list_.emplace(*alerts_, *incidents_, alert_changed,
                      [this](const state::Incident& incident) { live_->incident(api::incident_json(incident)); });
  triage_source_.emplace(*alert_list_, *alerts_, *incidents_);
  TRY(alert_table_projector_, pipeline::start_alert_table(*derived_, *rows_, data_->installation_id(),
                                                          log_to("alert table"), &*triage_source_));
  TRY(const std::string position, alerts_->position());
  if (!position.empty()) {
    TRY(const auto applied, journal::Position::parse(position));
    alert_list_->resume(applied);
  }
  TRY(alert_list_projector_, pipeline::start_batch_projector(
                                 "alert-list", position, *derived_,
                                 [this](std::span<const journal::RecordView> records, const journal::Position& after) {
                                   return alert_list_->apply(records, after);
                                 },
                                 log_to("alert list")));
  recommendation_list_.emplace(*recommendations_);
  TRY(const std::string recommended, recommendations_->position());
  TRY(recommendation_projector_, pipeline::start_projector(
                                     "recommendation-list", recommended, *derived_,
                                     [this](const journal::RecordView& record, const journal::Position& after) {
                                       return recommendation_list_->apply(record, after);
                                     },
                                     log_to("recommendation list")));
  TRY(vulnerability_desk_, vulnerability::Desk::open({.directory = data_->software(),
                                                      .fetch = make_feed_fetch(),
                                                      .log = log_to("vulnerabilities"),
                                                      .clock = &clock_}));
  software_reader_.emplace(*vulnerability_desk_, clock_);
  TRY(software_projector_, pipeline::start_projector(
                               "software", vulnerability_desk_->position(), *messages_,
                               [this](const journal::RecordView& record, const journal::Position& after) {
                                 return software_reader_->apply(record, after);
                               },
                               log_to("software")));
  TRY(auto reports, vulnerability::ReportBook::open(data_->software()));
  software_reporter_.emplace(SoftwareReporter::Parts{.desk = *vulnerability_desk_,
                                                     .book = std::move(reports),
                                                     .derived = *derived_,
                                                     .clock = clock_,
                                                     .whole_every = whole_reports_every(options_.retention_age)});
  software_reporter_->start();
  intelligence_desk_.emplace(*messages_, clock_, options_.hub);
  triage_desk_.emplace(*derived_, *alert_list_, *alerts_, *incidents_, options_.hub);
  analytics_runner_.emplace(AnalyticsRunner::Parts{.rules = *analytics_,
                                                   .incidents = *incidents_,
                                                   .workspace = *workspace_,
                                                   .schema = [this] { return query_schema_now(); },
                                                   .derived = *derived_,
                                                   .clock = clock_,
                                                   .hub = options_.hub,
                                                   .installation_id = data_->installation_id()});
  housekeeper_.emplace(Housekeeper::Parts{*messages_,
                                          *derived_,
                                          *outbox_,
                                          *users_,
                                          clock_,
                                          *retention_clock_,
                                          {options_.retention_bytes, options_.retention_age},
                                          options_.hub,
                                          [this] { return posture_->keep_day(options_.hub, clock_.now()); },
                                          [this] { return renew_certificates(); }});
  return {};
}

// New ticket keys for new connections, and a new server certificate when the old one is about to end.
Result<> EmbeddedServer::renew_certificates() {
  TRY(certificates_, net::open_or_create_server_identity(data_->secrets(), options_.names, clock_.now()));
  if (certificates_.certificate_created) log::info("server", "the server certificate was renewed");
  renew_hub_tls();
  return portal_tls_->replace(
      {.certificate_pem = certificates_.certificate_pem, .private_key_pem = certificates_.private_key_pem});
}

void EmbeddedServer::renew_hub_tls() {
  const std::scoped_lock lock(tls_mutex_);  // asked for by operators and by the daily renewal
  if (const auto done = tls_->replace(tls_options()); !done)
    log::error("server", "TLS of the hub: {}", describe(done.error()));
}

net::TlsOptions EmbeddedServer::tls_options() {
  return {.certificate_pem = certificates_.certificate_pem,
          .private_key_pem = certificates_.private_key_pem,
          .request_client_certificate = true,
          .client_ca_pem = hub_ ? hub_->administration().authorities_pem() : ""};
}

api::CounterGroup EmbeddedServer::software_counters() const {
  const auto fleet = vulnerability_desk_->fleet().stats();
  const auto read = software_reader_->stats();
  const auto told = software_reporter_->stats();
  Group group("software");
  group.add("devices", fleet.devices)
      .add("components", fleet.components)
      .add("advisory_feeds", fleet.feeds)
      .add("advisories", fleet.advisories)
      .add("reports_read", read.events)
      .add("items_rejected", read.rejected)
      .add("items_refused", fleet.refused)
      .add("items_outdated", fleet.outdated)
      .add("rows_written", told.rows)
      .add("devices_waiting", told.waiting)
      .add("devices_left_out", told.left_out);
  return group.take();
}

Result<> EmbeddedServer::start_heads(std::string& detail) {
  threads_.emplace(0);
  TRY(tls_, net::TlsContext::create(tls_options()));
  TRY(hub_, DeviceHub::start({.threads = *threads_,
                              .tls = *tls_,
                              .database = *database_,
                              .messages = *messages_,
                              .presence = *presence_,
                              .clock = clock_},
                             {.hub = options_.hub,
                              .host = host_name(),
                              .address = options_.address,
                              .mqtt_port = options_.mqtt_port,
                              .amqp_port = options_.amqp_port,
                              .https_port = options_.https_port,
                              .blobs = data_->blobs(),
                              .forward = data_->forward(),
                              .registry = data_->registry(),
                              .secrets = data_->secrets(),
                              .installation_id = data_->installation_id(),
                              .authorities_changed = [this] { renew_hub_tls(); }},
                             detail));
  TRY_VOID(tls_->replace(tls_options()));  // with the hubs' CAs, which are known now
  self_tests_.attach(&hub_->methods());
  health_.emplace(Health::Parts{[this] { return hub_->counters(); }, *messages_, *derived_,
                                [this] { return pipeline_->stats(); }, [this] { return pipeline_->rule_loads(); },
                                *workspace_, *alert_list_, *housekeeper_, event_rate_, dead_letter_rate_, clock_,
                                [this] { return software_counters(); }});

  api::ServerOptions api;
  api.address = options_.address;
  api.port = options_.portal_port;
  api.portal_directory = options_.portal;
  TRY(response_desk_, ResponseDesk::open(data_->secrets(), options_.hub));
  TRY(portal_tls_, net::TlsContext::create({.certificate_pem = certificates_.certificate_pem,
                                            .private_key_pem = certificates_.private_key_pem}));
  detail = fmt::format("the portal from '{}' on port {}", options_.portal, options_.portal_port);
  TRY(api_, api::Server::start(*threads_, portal_tls_.get(), std::move(api),
                               {.devices = *devices_,
                                .users = *users_,
                                .alerts = *alerts_,
                                .outbox = *outbox_,
                                .workspace = *workspace_,
                                .kql_schema = query_schema_,
                                .presence = *presence_,
                                .alert_desk = *triage_desk_,
                                .health = *health_,
                                .clock = clock_,
                                .hub = options_.hub,
                                .host_name = host_name(),
                                .installation_id = data_->installation_id(),
                                .version = options_.version,
                                .twins = &hub_->twins(),
                                .methods = &hub_->methods(),
                                .commands = &hub_->commands(),
                                .recommendations = &*recommendations_,
                                .posture = &*posture_,
                                .rules = &*rules_,
                                .security_groups = &*security_groups_,
                                .routes = &hub_->route_desk(),
                                .secrets_directory = data_->secrets(),
                                .hubs = &hub_->administration(),
                                .hub_settings = &hub_->settings(),
                                .id_scope = hub_->provisioning().scope(),
                                .has_locations = [this] { return has_locations(); },
                                .intelligence = &*intelligence_desk_,
                                .indicators = intelligence_keeper_.get(),
                                .intelligence_state = &*intelligence_,
                                .response = &*response_desk_,
                                .vulnerability = vulnerability_desk_.get(),
                                .saved_queries = &*saved_queries_,
                                .analytics = &*analytics_,
                                .analytics_desk = &*analytics_runner_,
                                .incidents = &*incidents_,
                                .suppressions = &*suppressions_,
                                .solutions = &*solutions_,
                                .table_retentions = &*table_retentions_},
                               *live_));
  detail.clear();
  log::info("server", "devices: mqtts://{0}:{1}, amqps://{0}:{2}, https://{0}:{3}; portal: https://{0}:{4}",
            options_.address, hub_->mqtt_port(), hub_->amqp_port(), hub_->https_port(), api_->port());
  return {};
}

void EmbeddedServer::stop() {
  activity_reader_.reset();
  if (intelligence_keeper_) intelligence_keeper_->stop();
  if (api_) api_->stop();
  self_tests_.attach(nullptr);
  if (hub_) hub_->stop();
  // The last callbacks of the journal still reach for the I/O threads.
  if (messages_) messages_->flush();
  api_.reset();
  health_.reset();
  hub_.reset();
  if (threads_) threads_->stop();
  analytics_runner_.reset();
  housekeeper_.reset();
  triage_desk_.reset();
  software_reporter_.reset();
  software_projector_.reset();
  recommendation_projector_.reset();
  alert_list_projector_.reset();
  alert_table_projector_.reset();
  pipeline_.reset();
}

}  // namespace

Result<std::unique_ptr<Server>> start(const Options& options, std::string& detail) {
  auto server = std::make_unique<EmbeddedServer>(options);
  TRY_VOID(server->start(detail));
  return server;
}

}  // namespace picket::server
