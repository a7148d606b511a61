// What the last snapshot said of each item, so that the next one sends only what changed; and the events of both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/collector.h"
#include "base/core/bytes.h"
#include "base/core/hash.h"
#include "base/core/result.h"
#include "message/events.h"

namespace picket::agent {

/// Between two whole snapshots, whatever the settings: what was lost on the way is mended by then.
inline constexpr Duration kSnapshotWholeEvery = Duration::days(7);

/// What a snapshot finds out about an item.
enum class SnapshotChange : std::uint8_t {
  whole,      ///< The snapshot is a whole one: every item is sent.
  unchanged,  ///< Also an identity that this snapshot showed before. Not sent, unless by SnapshotReport::again().
  added,
  changed,
  removed
};
/// As in ExtraDetails.Change: "unchanged", "added", "changed", "removed".
std::string_view to_string(SnapshotChange change);

/// A bounded set of items: hash of the identity, hash of the content, and a text that can name the item when it is
/// gone. begin(), see() for every item, finish(), in this order. Kept in a file (docs/formats/snapshot.md), it outlives
/// the process; a file that is lost, torn or foreign only means a whole snapshot. One thread.
class SnapshotDifference {
 public:
  static constexpr std::size_t kItemsMax = 8192;
  static constexpr std::size_t kTextBytesMax = 512 << 10;  ///< Of all items together.
  static constexpr std::size_t kItemTextMax = 512;         ///< Longer ones are cut; their hash covers all of it.
  /// Larger sets stay in memory only while a snapshot runs, where there is a file.
  static constexpr std::size_t kItemsResident = 128;

  /// `path`: the file; empty: memory only.
  explicit SnapshotDifference(std::string path);

  /// Begins a snapshot. True: it is a whole one, since it is the first, or the last whole one is too old, or lies in
  /// the future.
  bool begin(Timestamp now);
  /// `identity` names the item among its like; `content` is all that is sent of it. `details` are for removed().
  SnapshotChange see(std::string_view identity, std::string_view details, std::string_view content);
  /// The items that the running snapshot has not shown, one a call; "" at the end. The text is identity, kFieldEnd,
  /// details. Call it until the end, and only in a snapshot that is not whole. Valid until the next call.
  std::string_view next_removed();
  /// Ends the snapshot: what was not seen is forgotten.
  void finish();
  /// Writes the file and, if the set is large, leaves the memory. To be called when what was found is safe, so that a
  /// crash repeats rather than loses. Nothing to do without a path or a change. Errors: io; the set stays in memory.
  Result<> save();

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  /// Items of the running or last snapshot past the bounds: sent with whole snapshots only.
  [[nodiscard]] std::uint64_t untracked() const { return untracked_; }

  static constexpr char kFieldEnd = '\x1f';  ///< Between identity and details, for callers also between their parts.

  /// The file's content, for save() and tests.
  [[nodiscard]] Buffer encode() const;
  /// False: not such a file; the set is empty then.
  bool decode(Bytes file);

 private:
  struct Item {
    std::uint64_t identity = 0;
    std::uint32_t content = 0;
    std::uint32_t text_at = 0;
    std::uint16_t text_bytes = 0;
    bool seen = false;
  };
  Item* find(std::uint64_t identity);
  bool add(std::uint64_t identity, std::uint32_t content, std::string_view name, std::string_view details);
  static std::string text_of(std::string_view name, std::string_view details);
  void set_text(Item& item, std::string_view text);
  void sort_tail();
  void compact();
  void load();
  void clear();

  std::string path_;
  SipKey key_;
  Timestamp whole_at_{};
  bool known_ = false;   ///< There was a whole snapshot.
  bool loaded_ = false;  ///< items_ is what the file says, or newer.
  bool unsaved_ = false;
  bool whole_ = false;       ///< The running snapshot.
  std::vector<Item> items_;  ///< Sorted by identity up to sorted_.
  std::size_t sorted_ = 0;
  std::size_t removed_at_ = 0;
  std::string texts_;
  bool stale_texts_ = false;  ///< Some of texts_ belongs to no item.
  std::uint64_t untracked_ = 0;
};

/// The parts of a text of next_removed() or of one made with kFieldEnd; what is missing is empty.
std::string_view take_field(std::string_view& text);

/// One snapshot on its way to the sink: whole ones as SnapshotEvents are, differences as events of their own, whose
/// items say in ExtraDetails.Change what happened. Chunks of at most kEventBytes.
class SnapshotReport {
 public:
  static constexpr std::size_t kEventBytes = 24 << 10;

  /// Begins a snapshot of `difference`. `of_difference`: priority of differences.
  SnapshotReport(SnapshotDifference& difference, const Environment& environment, Origin origin,
                 message::EventName event, Priority of_difference, Counters& counters);
  [[nodiscard]] bool whole() const { return whole_; }
  /// Whether the snapshot had news so far.
  [[nodiscard]] bool any_news() const { return any_news_; }

  /// Sends `item` if it is news; whether it is. `item.source` does not count as content: another tier changes nothing.
  /// Nor does `item.event_id`, where there is one.
  template <class Payload>
  bool item(std::string_view identity, std::string_view details, const Payload& item) {
    Payload content = item;
    content.source = {};
    if constexpr (requires { content.event_id; }) content.event_id = {};
    return send_news(identity, details, content, item);
  }
  /// Sends `item` although it is no news, as "unchanged": for readers who want the state without what came before.
  template <class Payload>
  void again(const Payload& item) {
    send_item(SnapshotChange::unchanged, item);
  }
  /// The same where `item.priority`, its place among the others, does not count either.
  template <class Payload>
  void item_in_place(std::string_view identity, std::string_view details, const Payload& item) {
    Payload content = item;
    content.source = {};
    content.priority = {};
    send_news(identity, details, content, item);
  }
  /// Tells what is gone; once, after all items. `make_removed(text)` makes the payload that names what is gone and
  /// gives it to the function it is passed: `report.finish([](std::string_view text, auto send) {
  /// send(message::LocalUsers{...}); });`
  template <class MakeRemoved>
  void removed(MakeRemoved make_removed) {
    while (!whole_) {
      const std::string_view text = difference_.next_removed();
      if (text.empty()) break;
      any_news_ = true;
      make_removed(text, [this](const auto& item) { this->send_item(SnapshotChange::removed, item); });
    }
  }
  /// Ends the snapshot, after removed().
  void finish() { end(); }
  /// Both.
  template <class MakeRemoved>
  void finish(MakeRemoved make_removed) {
    removed(make_removed);
    end();
  }

 private:
  static constexpr std::size_t kDetailsMax = 32;

  template <class Payload>
  static std::string encode(const Payload& item) {
    JsonWriter json;
    message::append_payload(json, item);
    return json.take();
  }
  template <class Payload>
  bool send_news(std::string_view identity, std::string_view details, const Payload& content, const Payload& item) {
    const SnapshotChange change = difference_.see(identity, details, encode(content));
    if (change == SnapshotChange::unchanged) return false;
    any_news_ = true;
    send_item(change, item);
    return true;
  }
  template <class Payload>
  void send_item(SnapshotChange change, Payload item) {
    std::vector<message::Detail> details;
    if (change != SnapshotChange::whole) {
      details.assign(
          item.extra_details.begin(),
          item.extra_details.begin() + static_cast<std::ptrdiff_t>(std::min(item.extra_details.size(), kDetailsMax)));
      details.push_back({"Change", to_string(change)});
      item.extra_details = details;
    }
    add(encode(item));
  }
  void add(std::string text);
  void send();
  void end();

  SnapshotDifference& difference_;
  const Environment& environment_;
  EventRecord record_;
  Counters& counters_;
  bool whole_;
  bool sent_ = false;
  bool any_news_ = false;
  std::string items_;
};

}  // namespace picket::agent
