// Kusto's v2 answer: frames, whole or in fragments.
#include "kusto_shared.h"
#include "render_json.h"

namespace picket::api {
namespace {

constexpr std::size_t kFragmentRows = 10'000;

/// The array of frames. Readers that take them line by line find each on a line of its own.
class Frames {
 public:
  explicit Frames(bool newlines) : newlines_(newlines) {}
  void add(JsonWriter frame) {
    text_ += text_.empty() ? '[' : ',';
    text_ += frame.take();
    if (newlines_) text_ += "\r\n";
  }
  std::string take() { return std::move(text_) + (newlines_ ? "]\r\n" : "]"); }

 private:
  bool newlines_;
  std::string text_;
};

JsonWriter frame(std::string_view type) {
  JsonWriter out;
  out.begin_object().key("FrameType").value(type);
  return out;
}

void write_column(JsonWriter& out, std::string_view name, std::string_view type) {
  out.begin_object().key("ColumnName").value(name).key("ColumnType").value(type).end_object();
}

std::string_view placement_text(ErrorPlacement placement) {
  switch (placement) {
    case ErrorPlacement::in_data:
      return "InData";
    case ErrorPlacement::end_of_table:
      return "EndOfTable";
    case ErrorPlacement::end_of_dataset:
      return "EndOfDataset";
  }
  return "InData";
}

JsonWriter header_frame(const KustoStyle& style) {
  JsonWriter out = frame("DataSetHeader");
  out.key("IsProgressive").value(style.progressive).key("Version").value("v2.0");
  out.key("IsFragmented").value(style.fragmented || style.progressive);
  out.key("ErrorReportingPlacement").value(placement_text(style.errors)).end_object();
  return out;
}

JsonWriter properties_frame(std::span<const KqlTable> tables) {
  JsonWriter out = frame("DataTable");
  out.key("TableId").value(0).key("TableKind").value("QueryProperties").key("TableName").value("@ExtendedProperties");
  out.key("Columns").begin_array();
  write_column(out, "TableId", "int");
  write_column(out, "Key", "string");
  write_column(out, "Value", "dynamic");
  out.end_array().key("Rows").begin_array();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    out.begin_array().value(std::uint64_t{i + 1}).value("Visualization");
    out.value(render_json(tables[i].plan.get(), RenderNames::kusto, "null")).end_array();
  }
  out.end_array().end_object();
  return out;
}

struct Event {
  int level;  ///< Below 4: an error, for clients that count them here.
  std::string_view level_name;
  int status;
  std::string_view status_name;
  std::string_view type;
  std::string payload;
};

void write_event(JsonWriter& out, const KustoContext& context, const Event& event) {
  out.begin_array().value(context.now).value(context.client_request_id).value(context.activity_id);
  out.value(event.level).value(event.level_name).value(event.status).value(event.status_name).value(event.type);
  out.value(event.payload).end_array();
}

JsonWriter completion_frame(std::span<const KqlTable> tables, const KustoContext& context, const std::string& cut) {
  JsonWriter out = frame("DataTable");
  out.key("TableId").value(std::uint64_t{tables.size() + 1}).key("TableKind").value("QueryCompletionInformation");
  out.key("TableName").value("QueryCompletionInformation").key("Columns").begin_array();
  write_column(out, "Timestamp", "datetime");
  write_column(out, "ClientRequestId", "string");
  write_column(out, "ActivityId", "guid");
  write_column(out, "Level", "int");
  write_column(out, "LevelName", "string");
  write_column(out, "StatusCode", "int");
  write_column(out, "StatusCodeName", "string");
  write_column(out, "EventTypeName", "string");
  write_column(out, "Payload", "string");
  out.end_array().key("Rows").begin_array();
  if (!cut.empty()) write_event(out, context, {2, "Error", -2133196797, kKustoCutCode, "QueryInfo", cut});
  write_event(out, context, {4, "Info", 0, "S_OK (0)", "QueryResourceConsumption", kusto_statistics(tables)});
  out.end_array().end_object();
  return out;
}

std::string errors_json(const KustoContext& context, std::string_view cut) {
  const ApiError error{.code = std::string(kKustoCutCode), .message = std::string(cut)};
  return "[" + kusto_error_json(context, error, false) + "]";
}

/// A result and its number among the frames.
struct Numbered {
  const KqlTable& table;
  std::uint64_t id;
  std::string errors;  ///< JSON; empty: none.
};

JsonWriter begin_result(const Numbered& result, std::string_view type) {
  JsonWriter out = frame(type);
  out.key("TableId").value(result.id).key("TableKind").value("PrimaryResult").key("TableName").value("PrimaryResult");
  out.key("Columns").begin_array();
  for (const kql::ResultColumn& column : result.table.columns) write_column(out, column.name, to_string(column.type));
  out.end_array();
  return out;
}

void write_error_row(JsonWriter& out, const Numbered& result) {
  if (!result.errors.empty()) out.begin_object().key("OneApiErrors").raw(result.errors).end_object();
}

void add_whole(Frames& frames, const Numbered& result, const KustoStyle& style) {
  JsonWriter out = begin_result(result, "DataTable");
  out.key("Rows").begin_array();
  for (std::size_t row = 0; row < result.table.result.rows; ++row)
    write_kusto_row(out, result.table, row, Dialect::kusto_v2);
  if (style.errors == ErrorPlacement::in_data) write_error_row(out, result);
  out.end_array().end_object();
  frames.add(std::move(out));
}

/// Rows stand last in a fragment: readers that decode as they read rely on it.
void add_fragments(Frames& frames, const Numbered& result, const KustoStyle& style) {
  JsonWriter head = begin_result(result, "TableHeader");
  head.end_object();
  frames.add(std::move(head));
  const std::size_t rows = result.table.result.rows;
  for (std::size_t begin = 0; begin < rows; begin += kFragmentRows) {
    const std::size_t end = std::min(begin + kFragmentRows, rows);
    JsonWriter out = frame("TableFragment");
    out.key("TableFragmentType").value("DataAppend").key("TableId").value(result.id);
    out.key("FieldCount").value(std::uint64_t{result.table.columns.size()}).key("Rows").begin_array();
    for (std::size_t row = begin; row < end; ++row) write_kusto_row(out, result.table, row, Dialect::kusto_v2);
    if (end == rows && style.errors == ErrorPlacement::in_data && !style.progressive) write_error_row(out, result);
    out.end_array().end_object();
    frames.add(std::move(out));
    if (!style.progressive) continue;
    JsonWriter progress = frame("TableProgress");
    const double percent = 100.0 * static_cast<double>(end) / static_cast<double>(rows);
    progress.key("TableId").value(result.id).key("TableProgress").value(percent).end_object();
    frames.add(std::move(progress));
  }
  JsonWriter out = frame("TableCompletion");
  out.key("TableId").value(result.id).key("RowCount").value(std::uint64_t{rows});
  const bool here = style.errors == ErrorPlacement::end_of_table || style.progressive;
  if (here && !result.errors.empty()) out.key("OneApiErrors").raw(result.errors);
  out.end_object();
  frames.add(std::move(out));
}

}  // namespace

std::string kusto_v2(std::span<const KqlTable> tables, const KustoContext& context, const RunLimits& limits,
                     const KustoStyle& style) {
  const std::string cut = kusto_cut(tables, limits);
  const bool failed = !cut.empty() && !style.errors_deferred;
  Frames frames(style.newlines);
  frames.add(header_frame(style));
  frames.add(properties_frame(tables));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const std::string reason = style.errors_deferred ? std::string() : tables[i].cut_message(limits);
    const Numbered result{tables[i], i + 1, reason.empty() ? reason : errors_json(context, reason)};
    style.progressive || style.fragmented ? add_fragments(frames, result, style) : add_whole(frames, result, style);
  }
  frames.add(completion_frame(tables, context, cut));
  JsonWriter out = frame("DataSetCompletion");
  out.key("HasErrors").value(failed).key("Cancelled").value(false);
  if (failed) out.key("OneApiErrors").raw(errors_json(context, cut));
  out.end_object();
  frames.add(std::move(out));
  return frames.take();
}

}  // namespace picket::api
