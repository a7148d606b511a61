#include "server/server.h"

#include <optional>

#include <fmt/format.h>

#include "activity_reader.h"
#include "alert_projections.h"
#include "analytics_runner.h"
#include "api/server.h"
#include "base/server/log.h"
#include "device_hub.h"
#include "event_pipeline.h"
#include "health.h"
#include "housekeeper.h"
#include "intelligence_desk.h"
#include "net/io_threads.h"
#include "presence.h"
#include "response_desk.h"
#include "server_tls.h"
#include "software_projection.h"
#include "storage.h"
#include "stored_tables.h"

namespace picket::server {
namespace {

/// Members stand in the order in which they depend on each other, so destruction is the right order too.
class EmbeddedServer final : public Server {
 public:
  explicit EmbeddedServer(const Options& options) : options_(options) {}
  ~EmbeddedServer() override { stop(); }

  Result<> start(std::string& detail);
  void stop() override;

 private:
  Result<> start_pipeline();
  Result<> start_desks();
  Result<> start_hub(std::string& detail);
  Result<> start_portal(std::string& detail);
  [[nodiscard]] api::Services services();
  [[nodiscard]] Housekeeper::Parts household();
  /// What connection strings name as the host: the first name that the operator gave.
  [[nodiscard]] std::string host_name() const { return options_.names.empty() ? "localhost" : options_.names.front(); }

  const Options options_;
  const Clock& clock_ = system_clock();
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<StoredTables> tables_;
  std::optional<api::Live> live_;
  std::optional<Presence> presence_;
  std::unique_ptr<EventPipeline> pipeline_;
  std::unique_ptr<AlertProjections> alerts_;
  std::unique_ptr<SoftwareProjection> software_;
  std::optional<IntelligenceDesk> intelligence_desk_;
  std::optional<ResponseDesk> response_desk_;
  std::optional<Housekeeper> housekeeper_;
  std::optional<AnalyticsRunner> analytics_runner_;

  std::optional<net::IoThreads> threads_;
  std::unique_ptr<ServerTls> tls_;
  std::unique_ptr<DeviceHub> hub_;
  std::optional<Health> health_;
  std::unique_ptr<api::Server> api_;
  std::optional<ActivityReader> activity_reader_;
};

Result<> EmbeddedServer::start(std::string& detail) {
  TRY(storage_, Storage::open(options_, clock_, detail));
  TRY(tls_, ServerTls::open(storage_->data.secrets(), options_.names, clock_));
  TRY(tables_, StoredTables::open(options_, *storage_, detail));
  live_.emplace(std::to_string(clock_.now().us));
  presence_.emplace(*live_);
  TRY_VOID(start_pipeline());
  TRY_VOID(start_desks());
  threads_.emplace(0);
  TRY_VOID(start_hub(detail));
  TRY_VOID(start_portal(detail));
  log::info("server", "devices: mqtts://{0}:{1}, amqps://{0}:{2}, https://{0}:{3}; portal: https://{0}:{4}",
            options_.address, hub_->mqtt_port(), hub_->amqp_port(), hub_->https_port(), api_->port());
  housekeeper_->start();
  analytics_runner_->start();
  pipeline_->intelligence().start();
  activity_reader_.emplace(tables_->workspace(), *presence_, clock_);
  return {};
}

Result<> EmbeddedServer::start_pipeline() {
  TRY(pipeline_,
      EventPipeline::start(
          {.options = options_, .storage = *storage_, .tables = *tables_, .presence = *presence_, .clock = clock_}));
  TRY(alerts_, AlertProjections::start(*storage_, pipeline_->rows(), *live_, options_.hub));
  TRY(software_, SoftwareProjection::start(*storage_, clock_, options_.retention_age));
  return {};
}

Result<> EmbeddedServer::start_desks() {
  intelligence_desk_.emplace(*storage_->messages, clock_, options_.hub);
  TRY(response_desk_, ResponseDesk::open(storage_->data.secrets(), options_.hub));
  analytics_runner_.emplace(AnalyticsRunner::Parts{.rules = storage_->state.analytics,
                                                   .incidents = storage_->state.incidents,
                                                   .workspace = tables_->workspace(),
                                                   .schema = [this] { return tables_->query_schema_now(); },
                                                   .derived = *storage_->derived,
                                                   .clock = clock_,
                                                   .hub = options_.hub,
                                                   .installation_id = storage_->data.installation_id()});
  housekeeper_.emplace(household());
  return {};
}

Housekeeper::Parts EmbeddedServer::household() {
  return {.messages = *storage_->messages,
          .derived = *storage_->derived,
          .outbox = storage_->state.outbox,
          .users = storage_->state.users,
          .clock = clock_,
          .retention_clock = storage_->retention_clock,
          .retention = {options_.retention_bytes, options_.retention_age},
          .hub = options_.hub,
          .each_hour = [this] { return storage_->state.posture.keep_day(options_.hub, clock_.now()); },
          .each_day = [this] { return tls_->renew(); }};
}

Result<> EmbeddedServer::start_hub(std::string& detail) {
  const DataDirectory& data = storage_->data;
  TRY(hub_, DeviceHub::start({.threads = *threads_,
                              .tls = tls_->hub(),
                              .database = *storage_->database,
                              .messages = *storage_->messages,
                              .presence = *presence_,
                              .clock = clock_},
                             {.hub = options_.hub,
                              .host = host_name(),
                              .address = options_.address,
                              .mqtt_port = options_.mqtt_port,
                              .amqp_port = options_.amqp_port,
                              .https_port = options_.https_port,
                              .blobs = data.blobs(),
                              .forward = data.forward(),
                              .registry = data.registry(),
                              .secrets = data.secrets(),
                              .installation_id = data.installation_id(),
                              .authorities_changed = [this] { tls_->authorities_changed(); }},
                             detail));
  TRY_VOID(tls_->trust([this] { return hub_->administration().authorities_pem(); }));
  alerts_->self_tests().attach(&hub_->methods());
  health_.emplace(Health::Parts{.hub = [this] { return hub_->counters(); },
                                .messages = *storage_->messages,
                                .derived = *storage_->derived,
                                .pipeline = [this] { return pipeline_->stats(); },
                                .rule_loads = [this] { return pipeline_->rule_loads(); },
                                .workspace = tables_->workspace(),
                                .alerts = alerts_->alerts(),
                                .housekeeper = *housekeeper_,
                                .rate = pipeline_->events(),
                                .dead_letter_rate = pipeline_->dead_letters(),
                                .clock = clock_,
                                .software = [this] { return software_->counters(); }});
  return {};
}

Result<> EmbeddedServer::start_portal(std::string& detail) {
  api::ServerOptions portal;
  portal.address = options_.address;
  portal.port = options_.portal_port;
  portal.portal_directory = options_.portal;
  detail = fmt::format("the portal from '{}' on port {}", options_.portal, options_.portal_port);
  TRY(api_, api::Server::start(*threads_, &tls_->portal(), std::move(portal), services(), *live_));
  detail.clear();
  return {};
}

api::Services EmbeddedServer::services() {
  StateParts& state = storage_->state;
  return {.devices = state.devices,
          .users = state.users,
          .alerts = state.alerts,
          .outbox = state.outbox,
          .workspace = tables_->workspace(),
          .kql_schema = tables_->query_schema(),
          .presence = *presence_,
          .alert_desk = alerts_->triage(),
          .health = *health_,
          .clock = clock_,
          .hub = options_.hub,
          .host_name = host_name(),
          .installation_id = storage_->data.installation_id(),
          .version = options_.version,
          .twins = &hub_->twins(),
          .methods = &hub_->methods(),
          .commands = &hub_->commands(),
          .recommendations = &state.recommendations,
          .posture = &state.posture,
          .rules = &state.rules,
          .security_groups = &state.security_groups,
          .routes = &hub_->route_desk(),
          .secrets_directory = storage_->data.secrets(),
          .hubs = &hub_->administration(),
          .hub_settings = &hub_->settings(),
          .id_scope = hub_->provisioning().scope(),
          .has_locations = [this] { return tables_->has_locations(); },
          .intelligence = &*intelligence_desk_,
          .indicators = &pipeline_->intelligence(),
          .intelligence_state = &state.intelligence,
          .response = &*response_desk_,
          .vulnerability = &software_->desk(),
          .saved_queries = &state.saved_queries,
          .analytics = &state.analytics,
          .analytics_desk = &*analytics_runner_,
          .incidents = &state.incidents,
          .suppressions = &state.suppressions,
          .solutions = &state.solutions,
          .table_retentions = &state.table_retentions};
}

void EmbeddedServer::stop() {
  activity_reader_.reset();
  if (pipeline_) pipeline_->intelligence().stop();
  if (api_) api_->stop();
  if (alerts_) alerts_->self_tests().attach(nullptr);
  if (hub_) hub_->stop();
  // The last callbacks of the journal still reach for the I/O threads.
  if (storage_) storage_->messages->flush();
  api_.reset();
  health_.reset();
  if (hub_) static_cast<void>(tls_->trust({}));  // the daily renewal must not ask a hub that is gone
  hub_.reset();
  if (threads_) threads_->stop();
  analytics_runner_.reset();
  housekeeper_.reset();
  if (software_) software_->stop();
  if (alerts_) alerts_->stop();
  if (pipeline_) pipeline_->stop();
}

}  // namespace

Result<std::unique_ptr<Server>> start(const Options& options, std::string& detail) {
  auto server = std::make_unique<EmbeddedServer>(options);
  TRY_VOID(server->start(detail));
  return server;
}

}  // namespace picket::server
