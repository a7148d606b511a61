#include "software_reader.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include "base/core/json_reader.h"
#include "intelligence/fetch.h"

namespace picket::server {
namespace {

constexpr std::string_view kSecurityInterface = "urn:azureiot:Security:SecurityAgent:1";
constexpr std::string_view kEventName = "SBoM";
/// The position is kept at least so often; what lies behind it is read again after a crash.
constexpr Duration kCommitEvery = Duration::seconds(30);
/// A device's clock may be ahead by this much; more is taken for the hub's time, lest it outdate everything later.
constexpr Duration kAheadMax = Duration::minutes(5);
constexpr std::size_t kFeedBytesMax = 512U << 20;

std::string_view property_of(const journal::RecordView& record, std::string_view name) {
  const auto* value = record.property(name);
  return value == nullptr ? std::string_view{} : *value;
}

std::string text_of(const Json& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->text().value_or("") : std::string();
}

std::optional<sbom::Item> item_of(std::string_view details) {
  const auto json = parse_json(details, 32);
  if (!json) return std::nullopt;
  sbom::Item out;
  sbom::Component& component = out.component;
  component.type = text_of(*json, "PackageType");
  component.name = text_of(*json, "Name");
  component.version = text_of(*json, "Version");
  component.vendor = text_of(*json, "Vendor");
  component.architecture = text_of(*json, "Architecture");
  component.source_name = text_of(*json, "SourceName");
  component.source_version = text_of(*json, "SourceVersion");
  component.purl = text_of(*json, "Purl");
  if (component.name.empty()) return std::nullopt;
  // Azure's micro agent says name, version and vendor only.
  if (component.type.empty()) component.type = "package";
  if (const auto extra = json->find("ExtraDetails")) {
    component.evidence = text_of(*extra, "Evidence");
    const auto change = text_of(*extra, "Change");
    out.kind = change == "added"     ? sbom::Item::Kind::added
               : change == "changed" ? sbom::Item::Kind::changed
               : change == "removed" ? sbom::Item::Kind::removed
                                     : sbom::Item::Kind::whole;
  }
  if (component.purl.empty() && out.kind != sbom::Item::Kind::removed) component.purl = sbom::make_purl(component, "");
  return out;
}

}  // namespace

Result<> SoftwareReader::apply(const journal::RecordView& record, const journal::Position& after) {
  bool changed = false;
  if (record.kind == journal::RecordKind::message) {
    changed = read_message(record);
  } else if (record.kind == journal::RecordKind::audit && property_of(record, "kind") == "device.delete") {
    // The record comes after the removal: the device may be there again, with software of its own.
    const auto removed = parse_rfc3339(property_of(record, "time"));
    desk_.device_removed({std::string(record.identity.hub), std::string(record.identity.device_id)},
                         removed.value_or(record.enqueued));
    changed = true;
  }
  const Timestamp now = clock_.now();
  if (!changed && now - committed_at_ < kCommitEvery) return {};
  committed_at_ = now;
  return desk_.commit(after.to_text());
}

bool SoftwareReader::read_message(const journal::RecordView& record) {
  if (property_of(record, "$.ifid") != kSecurityInterface) return false;
  const message::ContentInfo content{.content_encoding = property_of(record, "$.ce"),
                                     .content_type = property_of(record, "$.ct"),
                                     .mti = property_of(record, "mti")};
  // Most messages hold no software; looking for the name is a hundred times cheaper than decoding.
  const auto plain = message::decompress(record.body, content.content_encoding);
  const bool flat = !content.mti.empty();
  if (!plain || flat || as_text(*plain).find(kEventName) == std::string_view::npos) return false;
  const auto decoded =
      decoder_.decode(*plain, {.content_encoding = "", .content_type = content.content_type, .mti = ""});
  if (!decoded) return false;
  bool changed = false;
  for (const message::Event& event : decoded->events) {
    if (event.name != kEventName || event.is_empty) continue;
    std::vector<sbom::Item> items;
    for (const message::Item& one : event.items) {
      if (auto item = item_of(one.details)) {
        items.push_back(*std::move(item));
      } else {
        ++rejected_;
      }
    }
    const Timestamp sent = std::min(event.timestamp_utc, record.enqueued + kAheadMax);
    desk_.observe({std::string(record.identity.hub), std::string(record.identity.device_id)},
                  "agent:" + std::string(record.identity.module_id), format_rfc3339(event.timestamp_utc), sent, items);
    ++events_;
    items_ += items.size();
    changed = true;
  }
  return changed;
}

vulnerability::FetchFeed make_feed_fetch() {
  auto fetcher = std::shared_ptr<intelligence::Fetcher>(intelligence::make_fetcher());
  return [fetcher](const vulnerability::FeedState& feed) -> std::expected<vulnerability::FeedContent, std::string> {
    intelligence::FetchRequest request{
        .url = feed.setting.source, .etag = feed.etag, .last_modified = feed.last_modified};
    request.bytes_max = kFeedBytesMax;
    auto got = fetcher->get(request);
    if (!got) return std::unexpected(got.error().text);
    return vulnerability::FeedContent{got->not_modified(), std::move(got->body), got->etag, got->last_modified};
  };
}

}  // namespace picket::server
