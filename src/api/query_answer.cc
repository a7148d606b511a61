#include "query_answer.h"

#include "result_values.h"

namespace picket::api {

void write_result(JsonWriter& out, const KqlTable& table, const RunLimits& limits) {
  out.key("columns").begin_array();
  for (const kql::ResultColumn& column : table.columns) {
    out.begin_object().key("name").value(column.name).key("type").value(to_string(column.type)).end_object();
  }
  out.end_array().key("rows").begin_array();
  for (std::size_t row = 0; row < table.result.rows; ++row) {
    out.begin_array();
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      write_value(out, table.columns[column].type, table.result.at(row, column));
    }
    out.end_array();
  }
  out.end_array();
  if (table.plan && table.plan->render) {
    out.key("render").begin_object().key("visualization").value(table.plan->render->chart);
    for (const auto& [name, value] : table.plan->render->properties) out.key(name).value(value);
    out.end_object();
  }
  out.key("stats").begin_object().key("elapsed_ms").value(static_cast<double>(table.elapsed.us) / 1000.0);
  out.key("rows").value(std::uint64_t{table.result.rows}).key("truncated").value(table.result.truncated);
  if (table.result.truncated) out.key("partial").value(table.cut_message(limits));
  out.end_object();
}

std::string results_json(std::span<const KqlTable> tables, const RunLimits& limits) {
  JsonWriter out;
  out.begin_object();
  write_result(out, tables.front(), limits);
  if (tables.size() > 1) {
    out.key("more").begin_array();
    for (const KqlTable& table : tables.subspan(1)) {
      out.begin_object();
      write_result(out, table, limits);
      out.end_object();
    }
    out.end_array();
  }
  return out.end_object().take();
}

}  // namespace picket::api
