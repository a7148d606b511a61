// Trust and this device's own certificate, from files that may be renewed while the agent runs.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

#include "agent/tls.h"

namespace picket::agent {

struct TlsFiles {
  std::string ca_file;
  std::string certificate_file;  ///< Empty: no certificate of its own.
  std::string key_file;          ///< A path (0600), or a key's name as TlsOptions::key says.
};

/// One thread.
class TlsMaterial {
 public:
  static constexpr std::size_t kFileBytesMax = 1 << 20;
  static constexpr Duration kWarnBefore = Duration::days(30);

  /// Reads the files. The error names the file, what is wrong and what to do. An expired certificate is no error here:
  /// it may be renewed while events are kept.
  static Checked<TlsMaterial> open(TlsFiles files);

  /// The context for a new connection; reads the files again when they have changed. The error is for people: the files
  /// are unusable now, or the certificate has expired. What was read before is kept then and tried again next time.
  Checked<std::shared_ptr<TlsContext>> current(Timestamp now);
  /// Reads the files again when they have changed; true: the next connection will use new ones. Costs a stat() each.
  /// The error is for people (a certificate without its key yet); what was read before stays.
  Checked<bool> refresh();

  [[nodiscard]] std::optional<Timestamp> certificate_end() const { return context_->certificate_end(); }
  /// "the certificate FILE of this device ends at …", when that is less than kWarnBefore away; else empty.
  [[nodiscard]] std::string warning(Timestamp now) const;

 private:
  /// What tells a file from its successor.
  struct Mark {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  using Marks = std::array<Mark, 3>;

  TlsMaterial(TlsFiles files, Marks marks, std::shared_ptr<TlsContext> context)
      : files_(std::move(files)), marks_(marks), context_(std::move(context)) {}
  static Marks look(const TlsFiles& files);
  static Checked<std::shared_ptr<TlsContext>> load(const TlsFiles& files);

  TlsFiles files_;
  Marks marks_;
  std::shared_ptr<TlsContext> context_;  ///< Shared with the connection that was made from it.
};

}  // namespace picket::agent
