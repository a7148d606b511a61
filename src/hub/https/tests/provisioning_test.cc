#include "hub/json_value.h"
#include "hub/provisioning_service.h"
#include "service_fixture.h"

namespace picket::hub {
namespace {

using ::testing::HasSubstr;

/// Says yes to every device; what is asked of it is kept.
class OneHub final : public ProvisioningRegistry {
 public:
  void provide(DeviceOrder order, const state::Actor&, Done<bool> done) override {
    provided = order.device_id;
    done(true);
  }
  void withdraw(std::string_view, std::string_view, const state::Actor&, Done<> done) override { done({}); }
  [[nodiscard]] std::vector<std::string> hubs() const override { return {"hub1"}; }
  [[nodiscard]] std::string host_of(std::string_view) const override { return "localhost"; }
  [[nodiscard]] std::optional<std::string> hub_of(std::string_view) const override { return "hub1"; }
  std::string provided;  ///< Read behind an answer.
};

class HttpsProvisioning : public ServiceTest {
 protected:
  ~HttpsProvisioning() override {
    client_.reset();
    head_.reset();
  }
  void add(HttpsHeadNeeds& needs) override {
    ServiceTest::add(needs);
    needs.provisioning = provisioning_.get();
  }
  [[nodiscard]] std::string registration_token(std::string_view id, std::string_view key) const {
    return make_policy_token(provisioning_->scope() + "/registrations/" + std::string(id), "registration",
                             as_bytes(key), clock_.now() + Duration::hours(1));
  }
  [[nodiscard]] std::string path(std::string_view rest) const {
    return "/" + provisioning_->scope() + "/registrations/" + std::string(rest) + "?api-version=2019-03-31";
  }

  OneHub hub_;
  std::unique_ptr<ProvisioningService> provisioning_ = make_provisioning(*state_, hub_, clock_).value();
};

constexpr std::string_view kKey = "0123456789abcdef";

TEST_F(HttpsProvisioning, ARegistrationIsEnrolledAndAssigned) {
  start();
  const std::string body =
      R"({"registrationId":"reg1","attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":")" +
      to_base64(as_bytes(kKey)) + R"(","secondaryKey":")" + to_base64(as_bytes("fedcba9876543210")) +
      R"("}},"deviceId":"press-9"})";
  const Reply enrolled = call("PUT", "/enrollments/reg1?api-version=2021-10-01", owner(), body);
  EXPECT_EQ(enrolled.status, 200) << enrolled.body;
  EXPECT_EQ(call("GET", "/enrollments/reg1", owner()).status, 200);
  EXPECT_EQ(call("GET", "/enrollments/none", owner()).status, 404);
  EXPECT_EQ(call("PUT", "/enrollments/reg2", policy("reader"), body).status, 401);

  const std::string token = registration_token("reg1", kKey);
  Reply reply = call("PUT", path("reg1/register"), token, R"({"registrationId":"reg1"})");
  EXPECT_EQ(reply.status, 202) << reply.body;
  EXPECT_NE(reply.header("retry-after"), "");
  const auto begun = parse_json(reply.body);
  ASSERT_TRUE(begun);
  const std::string operation(begun->text_of("operationId"));
  EXPECT_TRUE(eventually([&] {
    reply = call("GET", path("reg1/operations/" + operation), token);
    return reply.status == 200;
  })) << reply.body;
  EXPECT_THAT(reply.body, HasSubstr(R"("status":"assigned")"));
  EXPECT_THAT(reply.body, HasSubstr(R"("assignedHub":"localhost")"));
  EXPECT_EQ(hub_.provided, "press-9");
}

TEST_F(HttpsProvisioning, WrongProofsAreRefusedInTheSameWords) {
  start();
  for (const std::string& token : {registration_token("reg1", "another key 1234"), std::string()}) {
    const Reply reply = call("PUT", path("reg1/register"), token, R"({"registrationId":"reg1"})");
    EXPECT_EQ(reply.status, 401);
    EXPECT_THAT(reply.body, HasSubstr("errorCode"));
  }
  EXPECT_EQ(call("PUT", "/0neOther/registrations/reg1/register", registration_token("reg1", kKey), "{}").status, 401);
}

}  // namespace
}  // namespace picket::hub
