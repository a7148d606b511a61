// Segment files that the query instance has open, by lease.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "duckdb/api.h"

namespace picket::workspace {

/// Attaches segments READ_ONLY when a query first needs them and keeps them open for later ones, up to `idle_max` that
/// no query uses. Thread-safe.
class Attachments {
 public:
  Attachments(Connection connection, std::size_t idle_max) : connection_(std::move(connection)), idle_max_(idle_max) {}

  /// The catalog name of the file; counted: each lease is given back once.
  Outcome<std::string> lease(const std::string& path);
  void give_back(const std::string& path);
  /// Detaches a file that was retired. Nobody holds a lease of it: leases end before the snapshot that names the file.
  void forget(const std::string& path);

 private:
  struct Entry {
    std::string alias;
    std::uint32_t leases = 0;
    std::list<std::string>::iterator idle;  // where it is in idle_, when leases is 0
  };
  void detach(std::map<std::string, Entry>::iterator entry);

  std::mutex mutex_;
  Connection connection_;
  const std::size_t idle_max_;
  std::uint64_t next_ = 1;
  std::map<std::string, Entry> entries_;
  std::list<std::string> idle_;  // least recently used first
};

/// Leases of one query.
class AttachmentLeases {
 public:
  explicit AttachmentLeases(Attachments& attachments) : attachments_(attachments) {}
  AttachmentLeases(const AttachmentLeases&) = delete;
  AttachmentLeases& operator=(const AttachmentLeases&) = delete;
  ~AttachmentLeases();
  Outcome<std::string> take(const std::string& path);

 private:
  Attachments& attachments_;
  std::map<std::string, std::string> held_;  // path to alias
};

}  // namespace picket::workspace
