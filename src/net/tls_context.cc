#include "net/tls_context.h"

#include <atomic>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "openssl_types.h"
#include "record_buffers.h"

namespace picket::net {
namespace {

constexpr std::string_view kSessionContext = "picket";

BioPtr memory(const std::string& text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

Result<> use_certificates(SSL_CTX* context, const std::string& pem) {
  const auto bio = memory(pem);
  const X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return fail(Errc::malformed, "net.tls.certificate");
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      return fail(Errc::malformed, "net.tls.chain");
    }
  }
  ERR_clear_error();  // the end of the text is reported as an error
  return {};
}

Result<> use_key(SSL_CTX* context, const std::string& pem) {
  const auto bio = memory(pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return fail(Errc::malformed, "net.tls.private_key");
  }
  return {};
}

Result<> trust(SSL_CTX* context, const std::string& pem) {
  const auto bio = memory(pem);
  while (true) {
    const X509Ptr ca(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!ca) break;
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1)
      return fail(Errc::malformed, "net.tls.client_ca");
  }
  ERR_clear_error();
  return {};
}

/// The handshake goes on whatever the certificate is: who may connect is the hub's decision, and it wants the facts.
int accept_any_certificate(int /*verified*/, X509_STORE_CTX* /*store*/) { return 1; }

/// What a client certificate proved is proved again: the chain is not part of a ticket, and trust in a CA can end.
SSL_TICKET_RETURN take_ticket(SSL* /*ssl*/, SSL_SESSION* session, const unsigned char* /*name*/, size_t /*size*/,
                              SSL_TICKET_STATUS status, void* /*context*/) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  if (SSL_SESSION_get0_peer(session) != nullptr) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/// TLS 1.2: forward secrecy and authenticated encryption only.
Result<> choose_ciphers(SSL_CTX* context, bool strict) {
  if (SSL_CTX_set_cipher_list(context, strict ? "ECDHE+AES256+AESGCM:ECDHE+CHACHA20" : "ECDHE+AESGCM:ECDHE+CHACHA20") !=
      1)
    return fail(Errc::internal, "net.tls.ciphers");
  if (strict && SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") != 1)
    return fail(Errc::internal, "net.tls.ciphers");
  return {};
}

/// Chains end at whatever the operator trusts, also at an intermediate CA. Time is judged afterwards, so that the facts
/// tell an expired certificate from a stranger's.
void judge_chains_only(SSL_CTX* context) {
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
}

Result<std::shared_ptr<SSL_CTX>> make(const TlsOptions& options) {
  SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(Errc::internal, "net.tls.context");
  SSL_CTX_set_min_proto_version(context.get(), options.tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION);
  // Idle connections then hold no record buffers; writes may be repeated from another address.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);  // header and body of a record with one call
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  TRY_VOID(choose_ciphers(context.get(), options.strict_ciphers));
  // Tickets keep the state with the client; a cache here would be memory that strangers fill.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 static_cast<unsigned>(kSessionContext.size()));
  TRY_VOID(use_certificates(context.get(), options.certificate_pem));
  TRY_VOID(use_key(context.get(), options.private_key_pem));
  if (options.request_client_certificate) {
    TRY_VOID(trust(context.get(), options.client_ca_pem));
    judge_chains_only(context.get());
    SSL_CTX_set_session_ticket_cb(context.get(), nullptr, take_ticket, nullptr);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, accept_any_certificate);
  }
  return std::shared_ptr<SSL_CTX>(context.release(), SSL_CTX_free);
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::create(const TlsOptions& options) {
  static_cast<void>(keeps_record_buffers());  // no answer changes anything; the reference links it in
  std::unique_ptr<TlsContext> context(new TlsContext());
  TRY_VOID(context->replace(options));
  return context;
}

Result<> TlsContext::replace(const TlsOptions& options) {
  TRY(auto made, make(options));
  std::atomic_store(&context_, std::move(made));
  return {};
}

std::shared_ptr<ssl_ctx_st> TlsContext::current() const { return std::atomic_load(&context_); }

}  // namespace picket::net
