// The services of the hub: how they are made, and what each tells the others.
#include "base/server/log.h"
#include "device_hub.h"
#include "hub/session_store.h"
#include "hub/standing.h"
#include "initial_twin.h"
#include "response_audit.h"

namespace picket::server {
namespace {

hub::Protocol protocol_of(std::string_view name) {
  if (name == "amqp") return hub::Protocol::amqp;
  if (name == "https") return hub::Protocol::https;
  if (name == "mqtt") return hub::Protocol::mqtt;
  return hub::Protocol::service;
}

Identity identity_of(const hub::IdentityKey& key, std::string generation_id = {}) {
  return {key.hub, key.device_id, key.module_id, std::move(generation_id)};
}

/// What the queue reports, in the words of the operations log.
void count_command(hub::OperationCounters& counters, const hub::CommandOperation& done) {
  using hub::CommandEvent;
  using hub::Operation;
  const Identity identity = identity_of(done.device, done.generation_id);
  const auto count = [&](Operation operation) {
    counters.count(identity, operation, protocol_of(done.protocol), done.size_bytes);
  };
  switch (done.event) {
    case CommandEvent::sent:
      return;  // counted when a device gets it
    case CommandEvent::delivered:
      return count(Operation::c2d_message);
    case CommandEvent::completed:
      return count(Operation::c2d_completed);
    case CommandEvent::abandoned:
      return count(Operation::c2d_abandoned);
    case CommandEvent::rejected:
    case CommandEvent::delivery_exceeded:
      return count(Operation::c2d_rejected);
    case CommandEvent::expired:
      // One that no device was ever given says nothing about the device.
      return done.protocol.empty() ? void() : count(Operation::c2d_rejected);
    case CommandEvent::purged:
      return count(Operation::queue_purge);
  }
}

/// Jobs call devices as a service client does.
class JobMethods final : public hub::MethodInvoker {
 public:
  explicit JobMethods(hub::Methods& methods) : methods_(methods) {}
  void invoke(const hub::IdentityKey& target, hub::JobMethod method, std::string_view caller,
              hub::Done<hub::JobMethodAnswer> done) override {
    methods_.invoke(target,
                    {.name = std::move(method.name),
                     .payload = std::move(method.payload),
                     .response_timeout = method.response_timeout,
                     .connect_timeout = method.connect_timeout},
                    caller, [done = std::move(done)](hub::HubResult<hub::MethodReply> reply) mutable {
                      if (!reply) return done(std::unexpected(std::move(reply.error())));
                      done(hub::JobMethodAnswer{reply->status, std::move(reply->payload)});
                    });
  }

 private:
  hub::Methods& methods_;
};

}  // namespace

Result<> DeviceHub::start_services() {
  sessions_ = hub::make_sessions(needs_.database);
  start_commands();
  start_methods();
  automation_ = std::make_unique<hub::Automation>(needs_.database, twins_, *job_methods_, needs_.clock);
  queries_ = std::make_unique<hub::QueryService>(needs_.database, twins_);
  TRY_VOID(start_files());
  TRY(provisioning_, hub::make_provisioning(
                         needs_.database, provisioning_registry_, needs_.clock,
                         {.on_operation = [this](const hub::ProvisioningOperation& done) { log_provisioning(done); }}));
  TRY_VOID(start_routing());
  follow_diagnostics();
  return {};
}

void DeviceHub::start_commands() {
  hub::CommandOptions commands;
  commands.on_operation = [this](const hub::CommandOperation& done) { count_command(operation_counters_, done); };
  commands_ = hub::make_commands(needs_.database, directory_, needs_.clock, std::move(commands));
}

void DeviceHub::start_methods() {
  hub::MethodOptions methods;
  methods.exists = [this](const hub::IdentityKey& key) {
    const auto found = identities_.find(key.hub, key.device_id, key.module_id);
    return !found || found->has_value();  // a store that does not answer is no reason to say that a device is unknown
  };
  methods.on_operation = [this](const hub::MethodOperation& done) {
    operation_counters_.count(identity_of(done.target), hub::Operation::method_invoke, hub::Protocol::service,
                              done.request_bytes + done.response_bytes);
  };
  methods_ = hub::make_methods(
      [this](const hub::IdentityKey& key, hub::Notification notification, std::move_only_function<void(bool)> taken) {
        directory_.notify(key, std::move(notification), std::move(taken));
      },
      needs_.clock, std::move(methods));
  audited_methods_ = std::make_unique<AuditedMethods>(*methods_, needs_.database, needs_.clock);
  job_methods_ = std::make_unique<JobMethods>(*audited_methods_);
}

Result<> DeviceHub::start_files() {
  hub::FileOptions files;
  files.directory = options_.blobs;
  files.key_file = options_.secrets + "/blob.key";
  files.public_host = options_.host;
  files.on_operation = [this](const hub::FileOperation& done) {
    operation_counters_.count(
        done.device,
        done.event == hub::FileEvent::opened ? hub::Operation::upload_start : hub::Operation::upload_notify,
        hub::Protocol::https, done.size_bytes);
  };
  TRY(files_, hub::make_files(needs_.database, needs_.clock, std::move(files)));
  return {};
}

Result<> DeviceHub::start_routing() {
  TRY(router_, hub::start_router(needs_.messages, [this](const hub::IdentityKey& key) { return twins_.document(key); },
                                 needs_.clock,
                                 {.directory = options_.forward + "/routes",
                                  .log = [](std::string_view line) { log::warning("hub", "{}", line); }}));
  route_desk_ = std::make_unique<RouteDesk>(
      needs_.database, *router_, [this](const hub::IdentityKey& key) { return twins_.document(key); }, needs_.clock);
  TRY_VOID(route_desk_->load());
  events_ = hub::make_event_stream(needs_.messages, router_->view(), [this](std::string_view hub) {
    const auto settings = settings_.of(hub);
    return settings ? needs_.clock.now() - Duration::days(settings->configuration.retention_days) : Timestamp{};
  });
  diagnostics_ = std::make_unique<Diagnostics>(
      needs_.messages, settings_, needs_.clock,
      DiagnosticsOptions{.directory = options_.forward + "/diagnostics",
                         .log = [](std::string_view line) { log::warning("hub", "{}", line); }});
  return {};
}

/// Refused proofs look like any other failed credentials; what was registered is an audit record already.
void DeviceHub::log_provisioning(const hub::ProvisioningOperation& done) {
  if (done.registered) return;
  online_log_.record({.time = done.time,
                      .kind = hub::HubEventKind::auth_failed,
                      .identity = {options_.hub, done.registration_id, "", ""},
                      .source_address = done.source,
                      .protocol = "provisioning",
                      .code = hub::kUnauthorized,
                      .reason = done.reason,
                      .object = done.enrollment});
}

hub::ExportTwin DeviceHub::export_twin(const hub::IdentityKey& key) const {
  hub::ExportTwin out;
  const auto row = twins_.store().find(key.hub, key.device_id, key.module_id);
  if (!row) return out;  // removed since it was listed
  out.etag = row->etag;
  out.tags = row->tags;
  out.desired = row->desired;
  out.reported = row->reported;
  return out;
}

void DeviceHub::connect_services() {
  needs_.presence.attach(&directory_);
  administration_.on_rights_changed([this](std::string_view hub) { review(hub); });
  connect_registry();
  connect_twins();
}

void DeviceHub::connect_registry() {
  registry_.on_credentials_changed([this](const hub::IdentityKey& key) { directory_.revoke(key); });
  registry_.set_activity([this](const hub::IdentityKey& key) {
    const auto activity = needs_.presence.module(key.hub, key.device_id, key.module_id);
    hub::IdentityActivity out;
    out.connected = activity.connected;
    out.last_activity = activity.last.value_or(Timestamp{});
    out.cloud_to_device_messages = commands_->count(key).value_or(0);
    return out;
  });
  registry_.set_twins(
      [](hub::RegistryTransaction& transaction, const hub::BulkItem& item) {
        const hub::IdentityKey key{transaction.hub(), item.device.device_id, item.module ? item.module->module_id : ""};
        return put_initial_twin(transaction.database(), key, {item.tags, item.desired}, transaction.actor(),
                                transaction.now());
      },
      [this](const hub::IdentityKey& key) { return export_twin(key); });
}

void DeviceHub::connect_twins() {
  twins_.set_facts([this](const hub::IdentityKey& key) {
    const auto activity = needs_.presence.module(key.hub, key.device_id, key.module_id);
    return hub::LiveFacts{.connected = activity.connected,
                          .last_activity = activity.last.value_or(Timestamp{}),
                          .cloud_to_device_messages = commands_->count(key).value_or(0)};
  });
  twins_.on_changed([this](const hub::TwinChanged& changed) {
    if (changed.tags || changed.desired_patch) {  // whoever made it: service clients, operators, jobs, configurations
      operation_counters_.count(identity_of(changed.identity), hub::Operation::twin_update, hub::Protocol::service,
                                changed.desired_patch ? changed.desired_patch->size() : 0);
    }
    if (!changed.desired_patch) return;
    directory_.notify(changed.identity, hub::DesiredPatch{changed.desired_patch, changed.desired_version}, {});
  });
}

/// Connections that the hub's settings do not allow any more end now.
void DeviceHub::review(std::string_view hub) {
  directory_.review(std::string(hub), [this, settings = settings_.of(hub)](const hub::Standing& standing) {
    return settings != nullptr && hub::still_stands(standing, *settings, identities_);
  });
}

}  // namespace picket::server
