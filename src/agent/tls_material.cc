#include "agent/tls_material.h"

#include <sys/stat.h>

#include "agent/secret_file.h"
#include "base/core/file.h"

namespace picket::agent {

bool is_key_name(std::string_view key) { return key.starts_with("pkcs11:") || key.starts_with("handle:"); }

TlsMaterial::Marks TlsMaterial::look(const TlsFiles& files) {
  Marks out;
  const std::string* paths[] = {&files.ca_file, &files.certificate_file, &files.key_file};
  for (std::size_t i = 0; i < out.size(); ++i) {
    struct stat info{};
    if (paths[i]->empty() || is_key_name(*paths[i]) || ::stat(paths[i]->c_str(), &info) != 0) continue;
    constexpr std::int64_t kSecondNs = 1'000'000'000;
    // The time of the change, not of the content: `cp -p` and an older backup are changes too.
    out[i] = {info.st_dev, info.st_ino, info.st_size, info.st_ctim.tv_sec * kSecondNs + info.st_ctim.tv_nsec};
  }
  return out;
}

Checked<std::shared_ptr<TlsContext>> TlsMaterial::load(const TlsFiles& files) {
  TlsOptions options;
  auto ca = read_file(files.ca_file, kFileBytesMax);
  if (!ca) return std::unexpected("ca_file " + files.ca_file + ": " + describe(ca.error()));
  options.ca_pem = *std::move(ca);
  std::string where = "ca_file " + files.ca_file;
  if (!files.certificate_file.empty()) {
    auto certificate = read_file(files.certificate_file, kFileBytesMax);
    if (!certificate) {
      return std::unexpected("certificate_file " + files.certificate_file + ": " + describe(certificate.error()));
    }
    options.certificate_pem = *std::move(certificate);
    if (is_key_name(files.key_file)) {
      options.key = files.key_file;
    } else {
      auto key = read_secret_file(files.key_file, kFileBytesMax);
      if (!key) return std::unexpected("key_file " + key.error());
      options.key = *std::move(key);
    }
    where += ", certificate_file " + files.certificate_file + ", key_file " + files.key_file;
  }
  auto context = make_tls_context(options);
  if (!context) return std::unexpected(where + ": " + context.error());
  return std::shared_ptr<TlsContext>(std::move(*context));
}

Checked<TlsMaterial> TlsMaterial::open(TlsFiles files) {
  if (files.ca_file.empty()) {
    return std::unexpected(
        std::string("ca_file is not set: it names the PEM file of the certificates that the hub's must be signed by"));
  }
  if (files.certificate_file.empty() != files.key_file.empty()) {
    return std::unexpected(std::string("certificate_file and key_file belong together: set both or none"));
  }
  const Marks marks = look(files);
  auto context = load(files);
  if (!context) return std::unexpected(context.error());
  return TlsMaterial(std::move(files), marks, *std::move(context));
}

Checked<bool> TlsMaterial::refresh() {
  const Marks seen = look(files_);
  if (seen == marks_) return false;
  auto context = load(files_);
  if (!context) return std::unexpected(context.error());
  context_ = *std::move(context);
  marks_ = seen;
  return true;
}

Checked<std::shared_ptr<TlsContext>> TlsMaterial::current(Timestamp now) {
  if (const auto fresh = refresh(); !fresh) return std::unexpected(fresh.error());
  if (const auto end = certificate_end(); end && *end <= now) {
    return std::unexpected("the certificate " + files_.certificate_file + " of this device has expired at " +
                           format_rfc3339(*end) + "; put a new one there (or is this device's clock wrong?)");
  }
  return context_;
}

std::string TlsMaterial::warning(Timestamp now) const {
  const auto end = certificate_end();
  if (!end || *end - now > kWarnBefore) return {};
  return "the certificate " + files_.certificate_file + " of this device " +
         (*end <= now ? "has expired at " : "ends at ") + format_rfc3339(*end) + "; put a new one there";
}

}  // namespace picket::agent
