// A provisioning service with a registry in memory, and clients with keys or certificates.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "attestation.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "hub/provisioning_service.h"
#include "hub/testing/temporary_state.h"
#include "test_certificates.h"

namespace picket::hub {

class FakeRegistry final : public ProvisioningRegistry {
 public:
  void provide(DeviceOrder order, const state::Actor& actor, Done<bool> done) override {
    actors.push_back(actor.user);
    if (failure) return done(std::unexpected(*failure));
    const bool is_new = !devices.contains({order.hub, order.device_id});
    orders.push_back(order);
    devices[{order.hub, order.device_id}] = std::move(order);
    done(is_new);
  }
  void withdraw(std::string_view hub, std::string_view device_id, const state::Actor&, Done<> done) override {
    devices.erase({std::string(hub), std::string(device_id)});
    done({});
  }
  [[nodiscard]] std::vector<std::string> hubs() const override { return names; }
  [[nodiscard]] std::string host_of(std::string_view hub) const override { return std::string(hub) + ".example:8883"; }
  [[nodiscard]] std::optional<std::string> hub_of(std::string_view host) const override {
    for (const auto& name : names) {
      if (host_of(name) == host) return name;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> verified_ca(std::string_view name) const override {
    const auto found = cas.find(std::string(name));
    return found == cas.end() ? std::nullopt : std::optional(found->second);
  }

  std::vector<std::string> names = {"hub1"};
  std::map<std::pair<std::string, std::string>, DeviceOrder> devices;
  std::vector<DeviceOrder> orders;
  std::vector<std::string> actors;
  std::map<std::string, std::string> cas;
  std::optional<HubError> failure;
};

class ProvisioningHarness : public testing::Test {
 protected:
  ProvisioningHarness() { start(); }
  ~ProvisioningHarness() override { service.reset(); }
  void start() {
    auto made = make_provisioning(
        *state, registry, clock,
        {.on_operation = [this](const ProvisioningOperation& operation) { operations.push_back(operation); }});
    ASSERT_TRUE(made) << describe(made.error());
    service = *std::move(made);
  }
  void restart() {
    service.reset();
    state.reopen();
    start();
  }

  ProvisioningServiceReply call(const std::string& method, const std::string& path, const std::string& body = "",
                                const std::string& if_match = "", std::size_t count = 0,
                                const std::string& continuation = "") {
    std::promise<ProvisioningServiceReply> reply;
    service->service({method, path, body, if_match, count, continuation}, {"admin", "192.0.2.1"},
                     [&](ProvisioningServiceReply answer) { reply.set_value(std::move(answer)); });
    return reply.get_future().get();
  }
  /// The enrollment of a device or group; the answer's body.
  std::string enroll(const std::string& id, const std::string& attestation, const std::string& more = "",
                     bool group = false) {
    const auto kind = group ? "Group" : "";
    const auto reply = call("PUT", std::string("/enrollment") + kind + "s/" + id,
                            std::string("{\"") + (group ? "enrollmentGroupId" : "registrationId") + "\":\"" + id +
                                "\",\"attestation\":" + attestation + more + "}");
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.body;
  }
  static std::string key_json(Bytes primary, Bytes secondary) {
    return R"({"type":"symmetricKey","symmetricKey":{"primaryKey":")" + to_base64(primary) + R"(","secondaryKey":")" +
           to_base64(secondary) + R"("}})";
  }
  static std::string certificate_json(const std::string& use, const TestCertificate& primary) {
    return R"({"type":"x509","x509":{")" + use + R"(":{"primary":{"certificate":")" + to_base64(primary.der()) +
           R"("}}}})";
  }

  std::string token(const std::string& id, Bytes signing_key, bool encoded = false, std::string scope = "",
                    Duration lifetime = Duration::hours(1)) const {
    if (scope.empty()) scope = service->scope();
    auto resource = scope + "/registrations/" + id;
    if (encoded) resource = percent_encode(resource);
    const auto expiry = std::to_string((clock.now() + lifetime).us / 1'000'000);
    const auto mac = hmac_sha256(signing_key, as_bytes(resource + "\n" + expiry));
    return "SharedAccessSignature sr=" + resource + "&sig=" + percent_encode(to_base64(mac)) + "&se=" + expiry +
           "&skn=registration";
  }
  ProvisioningClaim claim(const std::string& id, std::string with_token = "") const {
    return {service->scope(), id, std::move(with_token), std::nullopt, "192.0.2.7"};
  }
  ProvisioningClaim claim(const std::string& id, const TestCertificate& leaf, std::vector<Buffer> chain = {}) const {
    return {service->scope(), id, "", ClientCertificateChain{leaf.der(), std::move(chain)}, "192.0.2.7"};
  }
  bool proves(const ProvisioningClaim& what) const {
    const auto grant = service->authenticate(what);
    if (!grant) EXPECT_EQ(grant.error(), (HubError{kUnauthorized, "Unauthorized."})) << "the same words for all";
    return grant.has_value();
  }
  ProvisioningReply do_register(const ProvisioningGrant& grant, const std::string& body = "") {
    std::promise<ProvisioningReply> reply;
    service->register_device(grant, body, [&](ProvisioningReply answer) { reply.set_value(std::move(answer)); });
    return reply.get_future().get();
  }
  ProvisioningReply status(const ProvisioningGrant& grant, const std::string& operation) {
    std::promise<ProvisioningReply> reply;
    service->operation_status(grant, operation, [&](ProvisioningReply answer) { reply.set_value(std::move(answer)); });
    return reply.get_future().get();
  }
  static std::string member(const std::string& json, const std::string& name) {
    const auto at = json.find("\"" + name + "\":\"");
    if (at == std::string::npos) return "";
    const auto begin = at + name.size() + 4;
    return json.substr(begin, json.find('"', begin) - begin);
  }
  /// Registers with a proof and returns the body of the final answer.
  std::string provision(const ProvisioningClaim& what) {
    const auto grant = service->authenticate(what);
    EXPECT_TRUE(grant);
    if (!grant) return "";
    const auto first = do_register(*grant);
    EXPECT_EQ(first.status, 202) << first.body;
    return status(*grant, member(first.body, "operationId")).body;
  }

  const Buffer key = Buffer(32, std::byte{1});
  const Buffer key2 = Buffer(32, std::byte{2});
  TemporaryState state;
  ManualClock clock{Timestamp{1'795'000'000'000'000}};
  FakeRegistry registry;
  std::vector<ProvisioningOperation> operations;
  std::unique_ptr<ProvisioningService> service;
};

}  // namespace picket::hub
