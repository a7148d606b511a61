// File upload of devices: tickets, local object storage, notifications for service clients (spec/hub.md 1.2, upload).
//
// The way of an upload, all on the device HTTPS port:
//   POST /devices/{d}/files                     -> Files::open_upload      -> 200 to_json(UploadTicket)
//   PUT  /{container}/{d}/{name}?{sas}[&comp=…] -> grant_blob, then begin_blob + BlobUpload, or commit_blocks -> 201
//   POST /devices/{d}/files/notifications[/{c}] -> Files::close_upload     -> 204
// The second needs no device token: the query of the ticket is its own proof, for one blob and for an hour.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/identity.h"
#include "base/core/time.h"
#include "hub/commands.h"
#include "hub/hub_error.h"
#include "state/devices.h"

namespace picket::hub {

inline constexpr std::size_t kUploadsOpenMax = 10;  ///< Of one device.
inline constexpr Duration kUploadLifetime = Duration::hours(1);
inline constexpr std::uint64_t kBlobBytesMax = 256ULL << 20;
inline constexpr std::size_t kBlobNameBytesMax = 1024;
inline constexpr std::size_t kBlockIdBytesMax = 64;  ///< Decoded from base64.
inline constexpr std::size_t kBlocksMax = 4096;      ///< Of one blob; each takes a file until they are joined.
inline constexpr std::size_t kBlockListBytesMax = 1 << 20;

/// What a device gets to put one blob with. `sas_token` begins with '?'.
struct UploadTicket {
  std::string correlation_id;
  std::string host_name;
  std::string container_name;
  std::string blob_name;  ///< "{device}/{name}", not encoded.
  std::string sas_token;
};
/// {"correlationId":…,"hostName":…,"containerName":…,"blobName":…,"sasToken":…}
std::string to_json(const UploadTicket& ticket);
/// Body of POST …/files: {"blobName":"f"}. Error: 400004.
HubResult<std::string> parse_upload_request(std::string_view body);

/// Body of POST …/files/notifications: {"correlationId"?, "isSuccess", "statusCode"?, "statusDescription"?}.
struct UploadResult {
  std::string correlation_id;
  bool success = false;
  std::int64_t status_code = 0;
  std::string description;
};
/// `correlation_in_path`: percent-decoded last segment, empty when the path has none. Error: 400004.
HubResult<UploadResult> parse_upload_result(std::string_view correlation_in_path, std::string_view body);

enum class BlobAction : std::uint8_t {
  put,         ///< PUT: the whole blob.
  put_block,   ///< PUT ?comp=block&blockid=…
  put_list,    ///< PUT ?comp=blocklist: begin nothing, collect the body (at most kBlockListBytesMax), commit_blocks().
  read,        ///< GET
  properties,  ///< HEAD
};

/// A proven right to do one thing with one blob. Made by grant_blob() only from a SAS that holds.
struct BlobGrant {
  BlobAction action{};
  std::string hub;
  std::string name;      ///< "{device}/{name}"
  std::string block_id;  ///< put_block: decoded bytes.
};

struct BlobFacts {
  std::string name;
  std::uint64_t size_bytes = 0;
  std::string content_type;
  std::string etag;  ///< With quotes, as the header wants it.
  Timestamp modified;
};

/// Bytes on their way into a temporary file. One thread at a time. Destroyed before finish(): nothing remains.
class BlobUpload {
 public:
  virtual ~BlobUpload() = default;
  /// Into the page cache: does not wait for the disk. Errors: 413001 over kBlobBytesMax or over the announced length,
  /// 403002 total limit or disk reserve. After an error only destroy it.
  virtual HubResult<> append(Bytes bytes) = 0;
  /// Makes it durable under its name on the store's own thread; `done` comes from there. Error 400004: fewer bytes than
  /// announced. Destroy the object any time after this call.
  virtual void finish(Done<BlobFacts> done) = 0;
};

struct BlobReading {
  BlobFacts facts;
  UniqueFd file;  ///< Read it with pread; stays readable when the blob is replaced.
};

/// As IoT Hub reports an upload to the service.
struct FileNotification {
  std::string lock;
  Timestamp enqueued;
  std::string device_id;
  std::string blob_uri;
  std::string blob_name;
  Timestamp last_updated;
  std::uint64_t size_bytes = 0;
};
/// {"deviceId","blobUri","blobName","lastUpdatedTime","blobSizeInBytes","enqueuedTimeUtc"}
std::string to_json(const FileNotification& notification);

/// Any thread. Durable: tickets, blobs and notifications survive a crash once they are answered.
class Files {
 public:
  virtual ~Files() = default;

  /// `host`: the name by which the device reached this hub (Host header); the ticket sends it there again.
  /// `blob_name` as the device said it. Errors: 400004 (host that is none; name empty, too long, with "..", control
  /// characters, backslash), 403006 (kUploadsOpenMax open), 403002 (no room), 404001.
  virtual void open_upload(const Identity& device, std::string blob_name, std::string_view host,
                           Done<UploadTicket> done) = 0;
  /// Success makes a notification when the blob is there; failure removes what was put. Errors: 400004 no such upload
  /// of this device.
  virtual void close_upload(const Identity& device, UploadResult result, Done<> done) = 0;

  /// True: the path belongs to the object storage ("/{container}/…"), so no device route may take it.
  [[nodiscard]] virtual bool is_blob_path(std::string_view path) const = 0;
  /// `target`: path and query exactly as in the request line. Reads nothing but the key: cheap and safe on an I/O
  /// thread. Errors: 401003 (signature, expiry, another blob, not for this action), 400004, 405-like actions as 400004.
  [[nodiscard]] virtual HubResult<BlobGrant> grant_blob(std::string_view method, std::string_view target) const = 0;
  /// For put and put_block, while the upload is open. `length`: of Content-Length; absent when chunked. Errors: 401003
  /// (closed), 413001, 403002, 503003. The answer is 201; storage clients want ETag, Last-Modified, x-ms-request-id,
  /// x-ms-version and Date with it.
  virtual HubResult<std::unique_ptr<BlobUpload>> begin_blob(const BlobGrant& grant, std::optional<std::uint64_t> length,
                                                            std::string_view content_type) = 0;
  /// `body`: the XML <BlockList> of Put Block List; blocks in that order become the blob. Errors: 400004 (XML, unknown
  /// block), 413001.
  virtual void commit_blocks(const BlobGrant& grant, std::string_view body, std::string_view content_type,
                             Done<BlobFacts> done) = 0;
  /// For read and properties. Errors: 404001 with the text "blob".
  virtual HubResult<BlobReading> read_blob(const BlobGrant& grant) = 0;

  // For service clients and operators; the caller has checked their rights.
  virtual void receive_notification(std::string_view hub, Done<std::optional<FileNotification>> done) = 0;
  /// complete and reject remove it, abandon frees it. Error: 412002.
  virtual void settle_notification(std::string_view hub, std::string_view lock, Settlement settlement, Done<> done) = 0;
  /// Called (any thread) when a notification waits. One listener.
  virtual void on_notification(std::function<void(const std::string& hub)> listener) = 0;
  /// Blobs of a device ("" : of all), in order of name, after `after`.
  virtual HubResult<std::vector<BlobFacts>> list_blobs(std::string_view hub, std::string_view device_id,
                                                       std::string_view after, std::size_t count_max) = 0;
  virtual HubResult<BlobReading> read_blob(std::string_view hub, std::string_view name) = 0;
  virtual void remove_blob(std::string_view hub, std::string_view name, const state::Actor& actor, Done<> done) = 0;
};

/// Azure storage's error body and the value of x-ms-error-code, for the answer to a blob request. The HTTP status is
/// error.status(), but 403 for 401: storage clients expect it so.
struct StorageError {
  int status = 500;
  std::string code;
  std::string xml;
};
StorageError storage_error(const HubError& error);

}  // namespace picket::hub
