// The device hub, put together: one directory, the services, and a head for each protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "api/services.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "diagnostics.h"
#include "hub/amqp_head.h"
#include "hub/automation.h"
#include "hub/command_service.h"
#include "hub/directory.h"
#include "hub/event_stream.h"
#include "hub/file_service.h"
#include "hub/https_head.h"
#include "hub/hub_administration.h"
#include "hub/hub_settings.h"
#include "hub/method_broker.h"
#include "hub/mqtt_head.h"
#include "hub/operation_counters.h"
#include "hub/operations_log.h"
#include "hub/provisioning_service.h"
#include "hub/query_service.h"
#include "hub/registry.h"
#include "hub/router.h"
#include "hub/sessions.h"
#include "hub/throttle.h"
#include "hub/twins.h"
#include "hub/twins_of_devices.h"
#include "journal/journal.h"
#include "net/io_threads.h"
#include "net/tls_context.h"
#include "online_aware_log.h"
#include "presence.h"
#include "provisioning_registry.h"
#include "route_desk.h"
#include "state/database.h"
#include "state/revocations.h"
#include "state_identity_store.h"

namespace picket::server {

struct DeviceHubOptions {
  std::string hub;      ///< The default hub.
  std::string host;     ///< What clients call this installation.
  std::string address;  ///< Of the listeners.
  std::uint16_t mqtt_port = 8883;
  std::uint16_t amqp_port = 5671;
  std::uint16_t https_port = 443;
  std::string blobs;     ///< Directory of uploaded files.
  std::string forward;   ///< Directory of storage endpoints.
  std::string registry;  ///< Directory of import and export jobs; holds keys.
  std::string secrets;
  std::string installation_id;
  std::function<void()> authorities_changed;  ///< The TLS context needs authorities_pem() anew.
};

/// Everything outlives it.
struct DeviceHubNeeds {
  net::IoThreads& threads;
  const net::TlsContext& tls;
  state::Database& database;
  journal::Journal& messages;
  Presence& presence;
  const Clock& clock;
};

class DeviceHub {
 public:
  /// Listens when it returns. Errors: io (a port is taken or not allowed; `detail` says which), those of the services.
  static Result<std::unique_ptr<DeviceHub>> start(const DeviceHubNeeds& needs, DeviceHubOptions options,
                                                  std::string& detail);
  ~DeviceHub();

  /// Heads first, then what they use. Idempotent.
  void stop();

  hub::Registry& registry() { return registry_; }
  hub::Twins& twins() { return twins_; }
  hub::Methods& methods() { return *audited_methods_; }
  hub::Commands& commands() { return *commands_; }
  hub::HubAdministration& administration() { return administration_; }
  const hub::HubSettingsStore& settings() { return settings_; }
  hub::Automation& automation() { return *automation_; }
  hub::QueryService& queries() { return *queries_; }
  hub::Provisioning& provisioning() { return *provisioning_; }
  RouteDesk& route_desk() { return *route_desk_; }
  [[nodiscard]] std::uint16_t mqtt_port() const { return mqtt_->port(); }
  [[nodiscard]] std::uint16_t amqp_port() const { return amqp_->port(); }
  [[nodiscard]] std::uint16_t https_port() const { return https_->port(); }
  /// Groups "hub", "hub_amqp", "hub_https", "hub_services" and "iothub" (under Azure's names).
  [[nodiscard]] std::vector<api::CounterGroup> counters() const;

 private:
  DeviceHub(const DeviceHubNeeds& needs, DeviceHubOptions options);
  Result<> start_settings();
  Result<> start_services();
  void start_commands();
  void start_methods();
  Result<> start_files();
  Result<> start_routing();
  void connect_services();
  void connect_registry();
  void connect_twins();
  Result<> start_heads(std::string& detail);
  Result<> open_mqtt();
  Result<> open_amqp();
  Result<> open_https();
  void log_provisioning(const hub::ProvisioningOperation& done);
  [[nodiscard]] hub::ExportTwin export_twin(const hub::IdentityKey& key) const;
  void run(const std::stop_token& stop);
  void apply_tiers();
  void follow_diagnostics();
  void keep_days();
  void review(std::string_view hub);

  DeviceHubNeeds needs_;
  DeviceHubOptions options_;
  StateIdentityStore identities_;
  hub::HubSettingsStore settings_;
  hub::HubAdministration administration_;
  hub::Throttle throttle_;
  state::HubDays days_;
  std::vector<hub::Throttle::Day> days_kept_;
  std::map<std::string, std::pair<std::string, std::uint32_t>> tiers_;  ///< In force: tier and units by hub.
  hub::JournalOperationsLog operations_;
  OnlineAwareLog online_log_;
  hub::OperationCounters operation_counters_;
  hub::Directory directory_;
  hub::Registry registry_;
  hub::Twins twins_;
  hub::TwinsOfDevices device_twins_{twins_};
  std::unique_ptr<hub::Sessions> sessions_;
  std::unique_ptr<hub::CommandService> commands_;
  std::unique_ptr<hub::MethodBroker> methods_;
  std::unique_ptr<hub::Methods> audited_methods_;  ///< What everybody else is given.
  std::unique_ptr<hub::MethodInvoker> job_methods_;
  std::unique_ptr<hub::Automation> automation_;
  std::unique_ptr<hub::QueryService> queries_;
  std::unique_ptr<hub::FileService> files_;
  ProvisioningRegistry provisioning_registry_;
  std::unique_ptr<hub::ProvisioningService> provisioning_;
  std::unique_ptr<hub::Router> router_;
  std::unique_ptr<RouteDesk> route_desk_;
  std::unique_ptr<hub::EventStream> events_;
  std::unique_ptr<Diagnostics> diagnostics_;
  std::uint64_t diagnostics_failures_ = 0;  ///< The runner's.
  std::unique_ptr<hub::MqttHead> mqtt_;
  std::unique_ptr<hub::AmqpHead> amqp_;
  std::unique_ptr<hub::HttpsHead> https_;
  std::jthread runner_;
  bool stopped_ = false;
};

}  // namespace picket::server
