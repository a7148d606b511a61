// The HTTPS head with the hub's real services behind it, over a state in a folder of its own.
#pragma once

#include "https_fixture.h"
#include "hub/command_service.h"
#include "hub/file_service.h"
#include "hub/hub_settings.h"
#include "hub/method_broker.h"
#include "hub/registry.h"
#include "hub/testing/temporary_state.h"
#include "hub/throttle.h"
#include "hub/twins.h"

namespace picket::hub {

class ServiceTest : public HttpsTest {
 protected:
  ServiceTest() {
    HubSettings settings{.name = "hub1"};
    settings.policies = {{"owner", kAllRights, bytes_of("owner key"), {}},
                         {"reader", kRegistryRead, bytes_of("reader key"), {}},
                         {"service", kServiceConnect, bytes_of("service key"), bytes_of("second")},
                         {"device", kDeviceConnect, bytes_of("device key"), {}}};
    settings_.put(std::move(settings));
    const Identity device = state_.add_device("dev1");
    store_.put("hub1", "dev1", "", {.generation_id = device.generation_id, .primary_key = bytes_of("key of dev1")});
    commands_ = make_commands(*state_, [](const IdentityKey&) {}, clock_);
    methods_ = make_methods(
        [this](const IdentityKey& key, Notification notification, std::move_only_function<void(bool)> taken) {
          const auto* method = std::get_if<MethodCall>(&notification);
          if (key.device_id != "dev1" || method == nullptr) return taken(false);
          taken(true);
          methods_->respond(key, method->id, {.status = 201, .payload = method->payload});
        },
        clock_);
    const std::string folder = state_.folder() + "/blobs";
    files_ = make_files(*state_, clock_, {.directory = folder, .key_file = state_.folder() + "/blob.key"}).value();
  }
  ~ServiceTest() override {
    client_.reset();
    head_.reset();
    files_.reset();
    commands_.reset();
    methods_.reset();
  }
  void add(HttpsHeadNeeds& needs) override {
    needs.settings = &settings_;
    needs.throttle = &throttle_;
    needs.registry = &registry_;
    needs.twins = &twins_;
    needs.commands = commands_.get();
    needs.methods = methods_.get();
    needs.files = files_.get();
    needs.connected_devices = [](std::string_view) { return 7U; };
  }

  [[nodiscard]] std::string policy(std::string_view name, std::string_view resource = "localhost",
                                   Duration lifetime = Duration::hours(1)) const {
    return make_policy_token(resource, name, as_bytes(std::string(name) + " key"), clock_.now() + lifetime);
  }
  [[nodiscard]] std::string owner() const { return policy("owner"); }

  TemporaryState state_;
  HubSettingsStore settings_;
  Throttle throttle_;
  Registry registry_{*state_, clock_};
  Twins twins_{*state_, clock_};
  std::unique_ptr<CommandService> commands_;
  std::unique_ptr<MethodBroker> methods_;
  std::unique_ptr<FileService> files_;
};

}  // namespace picket::hub
