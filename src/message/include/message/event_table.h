// The table of events as data: what schema/events.yaml says, for decoding, table schemas, detection and documentation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "message/event.h"
#include "message/event_kinds.h"

namespace picket::message {

/// Type of a promoted column. `datetime`: Timestamp, microseconds UTC.
enum class ColumnType : std::uint8_t { text, integer, real, boolean, datetime };

/// Type of a payload key as our agent sends it. The underscore keeps the names clear of keywords.
enum class KeyType : std::uint8_t { text_, int_, real_, bool_, datetime_, ints_, texts_, map_, json_ };

/// Sigma rules say `sigma` where the event says `event`.
struct SigmaValue {
  std::string_view event;
  std::string_view sigma;
};

struct KeyInfo {
  std::string_view name;  ///< As in EventDetails; equals the column's name where it is promoted.
  KeyType type;
  std::string_view unit;
  bool required;  ///< Our agent always sends it.
  std::optional<Field> field;
  std::string_view sigma;                    ///< Field name in Sigma rules, empty: none.
  std::span<const std::string_view> values;  ///< Closed list, empty: any.
  std::span<const SigmaValue> sigma_values;
};

struct EventInfo {
  EventKind kind;
  std::string_view name;  ///< RawEventName; empty for EventKind::Unknown.
  Table table;
  Category category;
  EventType type;
  std::span<const KeyInfo> keys;
};

struct FieldInfo {
  Field field;
  std::string_view name;
  ColumnType type;
};

/// Most promoted columns a table can have: a row's exactness is one 64-bit mask over TableInfo::columns.
inline constexpr std::size_t kColumnsMax = 64;

struct TableInfo {
  Table table;
  std::string_view name;
  std::span<const Field> columns;  ///< In the order of the physical table.
};

/// All of static storage, indexed by the enumerator.
std::span<const EventInfo> all_events();
std::span<const FieldInfo> all_fields();
std::span<const TableInfo> all_tables();

inline const EventInfo& info(EventKind kind) { return all_events()[static_cast<std::size_t>(kind)]; }
inline const FieldInfo& info(Field field) { return all_fields()[static_cast<std::size_t>(field)]; }
inline const TableInfo& info(Table table) { return all_tables()[static_cast<std::size_t>(table)]; }

/// EventKind::Unknown when no event has that name. Names are case-sensitive.
EventKind find_event(std::string_view name);
std::optional<Field> find_field(std::string_view name);
/// Place of `field` in the columns of `table`, which is its bit in Item::inexact; nullopt: the table has no such
/// column.
std::optional<std::size_t> column_of(Table table, Field field);
/// The key of `kind` that Sigma calls `sigma` (case-insensitive, as Sigma field names are used); nullptr: none.
const KeyInfo* find_sigma(EventKind kind, std::string_view sigma);

}  // namespace picket::message
