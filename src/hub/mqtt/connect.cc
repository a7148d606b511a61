// From CONNECT to CONNACK: budget, credentials, the place in the directory, the session.
#include <boost/asio/use_awaitable.hpp>

#include "hub/await.h"
#include "hub/event_facts.h"
#include "provisioning_channel.h"

namespace picket::hub {

net::asio::awaitable<void> MqttConnection::on_connect(const mqtt::Connect& packet) {
  auto& needs = context_.needs;
  auto& counters = context_.counters;
  if (overloaded() || !needs.directory.take_connect(thread())) {
    ++counters.refused_overload;
    log(HubEventKind::throttled, "connect", {}, kThrottled);
    co_return refuse(mqtt::ConnectCode::server_unavailable);
  }
  if (on_provisioning_connect(packet)) co_return;
  auto grant = prove(packet);
  if (!grant) co_return refuse(grant.error());
  sender_ = {grant->identity, partition_of(grant->identity), auth_method(*grant)};
  credential_end_ = grant->token_expiry;
  sdk_ = std::move(grant->claim.sdk);
  proven_ = true;
  connection_.admission.authenticated();
  if (needs.throttle != nullptr) {  // only now: a stranger must not use up a device's connects
    const auto verdict = needs.throttle->take(key(), Meter::connects, 1, needs.clock.monotonic());
    if (verdict.delay.us != 0) throttled("connects");
    if (verdict.refused) {
      ++counters.refused_overload;
      co_return refuse(mqtt::ConnectCode::server_unavailable);
    }
    if (verdict.delay.us != 0) co_await pause(verdict.delay);
    if (end_) co_return;
  }
  needs.directory.stand_on(address_, *connection_.stream);
  if (!grant->policy_name.empty()) {
    needs.directory.stand_on(address_, *connection_.stream,
                             {grant->identity.hub, grant->policy_name, grant->credential, true});
  }
  needs.directory.claim(sender_.identity, address_);
  while (!granted_ && !end_) co_await wait();
  if (end_) co_return;
  // Disabled, deleted or made anew since the check above: revoke() could not find what was not in the directory yet.
  grant = prove(packet);
  if (!grant) co_return refuse(grant.error());
  if (grant->identity != sender_.identity) co_return refuse(mqtt::ConnectCode::not_authorized);
  const auto resumed = co_await resume_session(packet.clean_session);
  if (end_) co_return;
  if (!resumed) {
    ++counters.refused_overload;
    co_return refuse(mqtt::ConnectCode::server_unavailable);
  }
  if (packet.will) {
    will_ = std::make_unique<StoredWill>(std::string(packet.will->topic),
                                         Buffer(packet.will->payload.bytes.begin(), packet.will->payload.bytes.end()),
                                         packet.will->retain);
  }
  connected_ = true;
  ++counters.connects;
  ++counters.connected;
  if (needs.presence != nullptr) needs.presence->connected(sender_.identity, needs.clock.now());
  auto begun = event(HubEventKind::connect);
  describe(begun, *grant);
  needs.log.record(begun);
  session_.accept(*resumed, needs.clock.monotonic(), output_);
  flush();
  serve_filters();
}

std::expected<Grant, Refusal> MqttConnection::prove(const mqtt::Connect& packet) const {
  const auto& needs = context_.needs;
  Credentials peer{.source_address = connection_.stream->peer().address};
  if (const auto* tls = connection_.stream->tls()) {
    peer.tls_version = tls->version;
    peer.tls_cipher = tls->cipher;
    if (tls->client_certificate) peer.certificate = &*tls->client_certificate;
  }
  return authenticate(packet, peer, {context_.options.hubs, needs.identities, needs.settings}, needs.clock.now());
}

/// Loads what an earlier connection has subscribed to, or forgets it. True: the session was there.
net::asio::awaitable<Result<bool>> MqttConnection::resume_session(bool clean) {
  clean_ = clean;
  auto* sessions = context_.needs.sessions;
  if (sessions == nullptr) co_return false;
  CO_TRY(const auto mask, sessions->load(sender_.identity));
  if (mask == 0) co_return false;
  if (!clean) {
    filters_ = FilterSet(mask);
    ++context_.counters.sessions_resumed;
    co_return true;
  }
  const auto start = [&](Done<> done) { sessions->store(sender_.identity, 0, std::move(done)); };
  const auto forgotten = co_await answer_of<void>(connection_.stream->executor(), start);
  if (!forgotten) co_return fail(Errc::unavailable, "hub.session.store");
  co_return false;
}

void MqttConnection::refuse(mqtt::ConnectCode code) {
  session_.refuse(code, output_);
  flush();
  close(DisconnectReason::client);  // not connected, so nothing is logged as a disconnect
}

void MqttConnection::refuse(const Refusal& refusal) {
  ++context_.counters.refused[static_cast<std::size_t>(refusal.check)];
  auto failed = event(HubEventKind::auth_failed);
  describe(failed, refusal);
  context_.needs.log.record(failed);
  refuse(refusal.check == AuthCheck::store_unavailable ? mqtt::ConnectCode::server_unavailable
                                                       : mqtt::ConnectCode::not_authorized);
}

bool MqttConnection::overloaded() const {
  const auto stats = context_.needs.journal.stats();
  return stats.reserve_reached || stats.failing;
}

}  // namespace picket::hub
