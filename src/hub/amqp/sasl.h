// SASL of the hub's side: ANONYMOUS and MSSBCBS (tokens follow on $cbs), PLAIN and EXTERNAL, decided by an EngineUser.
#pragma once

struct pn_transport_t;

namespace picket::hub::amqp {

class EngineUser;

/// Proton's own server knows no passwords but those of Cyrus' data base. `user` outlives the transport.
void serve_sasl(pn_transport_t* transport, EngineUser& user);

}  // namespace picket::hub::amqp
