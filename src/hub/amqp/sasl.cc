#include "sasl.h"

#include <string_view>

#include <proton/sasl.h>
#include <proton/sasl_plugin.h>
#include <proton/transport.h>

#include "engine.h"

namespace picket::hub::amqp {
namespace {

EngineUser& user_of(pn_transport_t* transport) { return *static_cast<EngineUser*>(pnx_sasl_get_context(transport)); }

/// RFC 4616: [authorization] NUL name NUL password.
bool plain(EngineUser& user, std::string_view message) {
  const auto first = message.find('\0');
  if (first == std::string_view::npos) return false;
  const auto second = message.find('\0', first + 1);
  if (second == std::string_view::npos) return false;
  return user.plain(message.substr(first + 1, second - first - 1), message.substr(second + 1));
}

void outcome(pn_transport_t* transport, bool good) {
  if (good) {
    pnx_sasl_set_succeeded(transport, "client", "client");
  } else {
    pnx_sasl_set_failed(transport);
  }
  pnx_sasl_set_desired_state(transport, SASL_POSTED_OUTCOME);
}

void process_init(pn_transport_t* transport, const char* mechanism, const pn_bytes_t* received) {
  auto& user = user_of(transport);
  const std::string_view name = mechanism == nullptr ? "" : mechanism;
  const auto offered = user.mechanisms();
  if (name.empty() || offered.find(name) == std::string_view::npos) return outcome(transport, false);
  // MSSBCBS is what the Python service SDK calls "tokens follow on $cbs".
  if (name == "ANONYMOUS" || name == "MSSBCBS") return outcome(transport, true);
  if (name == "EXTERNAL") return outcome(transport, user.external());
  if (name != "PLAIN" || received->start == nullptr) return outcome(transport, false);
  outcome(transport, plain(user, {received->start, received->size}));
}

constexpr pnx_sasl_implementation kServer = {
    .free = [](pn_transport_t*) {},
    .list_mechanisms = [](pn_transport_t* t) { return user_of(t).mechanisms().data(); },  // static, ends with NUL
    .init_server =
        [](pn_transport_t* t) {
          pnx_sasl_set_desired_state(t, SASL_POSTED_MECHANISMS);
          return true;
        },
    .init_client = [](pn_transport_t*) { return false; },
    .prepare_write = [](pn_transport_t*) {},
    .process_init = process_init,
    .process_response = [](pn_transport_t* t, const pn_bytes_t*) { outcome(t, false); },  // nothing was asked
    .process_mechanisms = [](pn_transport_t*, const char*) { return false; },
    .process_challenge = [](pn_transport_t*, const pn_bytes_t*) {},
    .process_outcome = [](pn_transport_t*, const pn_bytes_t*) {},
    .can_encrypt = [](pn_transport_t*) { return false; },
    .max_encrypt_size = [](pn_transport_t*) -> ssize_t { return 0; },
    .encode = [](pn_transport_t*, pn_bytes_t, pn_bytes_t*) -> ssize_t { return 0; },
    .decode = [](pn_transport_t*, pn_bytes_t, pn_bytes_t*) -> ssize_t { return 0; },
};

}  // namespace

void serve_sasl(pn_transport_t* transport, EngineUser& user) {
  pn_sasl(transport);
  pnx_sasl_set_implementation(transport, &kServer, &user);
}

}  // namespace picket::hub::amqp
