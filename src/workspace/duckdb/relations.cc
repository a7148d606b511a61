#include "duckdb/relations.h"

#include <algorithm>
#include <limits>
#include <ranges>

#include <fmt/format.h>

namespace picket::workspace {
namespace {

const PinnedStream* find_stream(const Snapshot& snapshot, std::string_view name) {
  for (const PinnedStream& stream : snapshot.streams) {
    if (stream.stream == name) return &stream;
  }
  return nullptr;
}

bool meets(const TableExtent& extent, const QueryRequest& request) {
  return extent.rows != 0 && (!request.time_from || extent.time_max >= *request.time_from) &&
         (!request.time_to || extent.time_min <= *request.time_to);
}

std::string column_list(const std::vector<Column>& columns) {
  std::string out;
  for (const Column& column : columns) out += (out.empty() ? "" : ", ") + quote_identifier(column.name);
  return out;
}

/// Notes why the file cannot be read; the error itself when that is no fault of the file.
Outcome<> note_damage(const QuerySource& source, const EngineError& error, DamageBook& damage) {
  const std::uint64_t bytes = source.extent->archived ? source.extent->bytes : source.segment->bytes;
  TRY(auto problem, size_problem(source.path, bytes));
  if (!problem && error.error.code == Errc::malformed) problem = "is damaged: its checksum is wrong";
  if (!problem && tells_of_damage(error.text)) problem = "is damaged: " + error.text.substr(0, error.text.find('\n'));
  if (!problem) return std::unexpected(error);
  damage.note(source.path, *source.segment, *std::move(problem));
  return {};
}

/// "alias.table" or "read_parquet(…)"; empty: the file cannot be read, which is noted.
Outcome<std::string> open_source(QuerySource& source, const std::string& table, QueryFiles& files) {
  if (files.damage.find(source.path)) return std::string();
  if (source.extent->archived) {
    if (const auto good = files.archive.verify(source.path, *source.extent); !good) {
      TRY_VOID(note_damage(source, good.error(), files.damage));
      return std::string();
    }
    return fmt::format("read_parquet({})", quote_text(source.path));
  }
  auto alias = files.leases.take(source.path);
  if (!alias) {
    TRY_VOID(note_damage(source, alias.error(), files.damage));
    return std::string();
  }
  source.alias = *std::move(alias);
  if (!files.checked.contains(source.path, source.extent->table)) {
    TRY(const auto problem, check_counts(files.connection, source.alias, *source.segment, *source.extent));
    if (problem) {
      files.damage.note(source.path, *source.segment, *problem);
      return std::string();
    }
    files.checked.insert(source.path, source.extent->table);
  }
  return source.alias + "." + table;
}

/// Says that the file's rows of this table are missing.
void leave_out(const QuerySource& source, QueryFiles& files) {
  auto file = files.damage.find(source.path);
  if (!file) return;  // it has been put back this moment
  std::erase_if(file->tables, [&](const DamagedRows& rows) { return rows.table != source.extent->table; });
  const auto same = std::ranges::find(files.missing, file->file, &DamagedFile::file);
  if (same == files.missing.end()) {
    files.missing.push_back(*std::move(file));
  } else {
    same->tables.insert(same->tables.end(), file->tables.begin(), file->tables.end());
  }
}

/// "T" AS (SELECT columns FROM (each segment UNION ALL BY NAME hot rows)): by name, since a segment may be older than a
/// column; the hot rows have all of them. The segments come first: behind a table function DuckDB gives up pushing the
/// bound of "newest n" down into them (measured on 3 million rows: 350 ms instead of 20).
Outcome<std::string> table_expression(const QueryRequest& request, TableIndex index, const Layouts& layouts,
                                      const Snapshot& snapshot, std::uint64_t token, QueryFiles& files) {
  const TableLayout& layout = layouts[index];
  const std::string table = quote_identifier(layout.name);
  std::string sql = fmt::format("{} AS NOT MATERIALIZED (SELECT {} FROM (", table, column_list(layout.columns));
  if (const PinnedStream* stream = find_stream(snapshot, layout.stream)) {
    // Newest first: "newest n" then has its n early, and skips older row groups by their times.
    for (const SegmentPtr& segment : std::views::reverse(stream->segments)) {
      const TableExtent* extent = segment->info().find(layout.name);
      if (extent == nullptr || !meets(*extent, request)) continue;
      QuerySource source{
          extent->archived ? segment->archive_path(layout.name) : segment->path(), {}, &segment->info(), extent};
      TRY(const std::string from, open_source(source, table, files));
      if (from.empty()) {
        leave_out(source, files);
        continue;
      }
      sql += fmt::format("FROM {} UNION ALL BY NAME ", from);
      files.sources.push_back(std::move(source));
    }
  }
  return sql + fmt::format("FROM {}({}, {})))", kHotScan, token, index);
}

std::string value_expression(const ViewColumn& column) {
  const std::string name = quote_identifier(column.column.name);
  switch (column.value) {
    case ViewValue::column:
      return quote_identifier(column.source) + " AS " + name;
    case ViewValue::constant:
      return quote_text(column.source) + " AS " + name;
    case ViewValue::byte_length:
      return fmt::format("strlen({})::DOUBLE AS {}", quote_identifier(column.source), name);
  }
  return {};
}

std::string view_expression(const ViewSchema& view) {
  std::string values;
  for (const ViewColumn& column : view.columns) values += value_expression(column) + ", ";
  for (const Column& column : system_columns())
    values += (&column == &system_columns().front() ? "" : ", ") + column.name;
  std::string sql = quote_identifier(view.name) + " AS NOT MATERIALIZED (";
  for (const std::string& table : view.tables) {
    sql += fmt::format("{}SELECT {} FROM {}", &table == &view.tables.front() ? "" : " UNION ALL ", values,
                       quote_identifier(table));
  }
  return sql + ")";
}

}  // namespace

bool adds_parameter(const QueryRequest& request) {
  return !request.binds.empty() && !request.sql.contains(fmt::format("${}", request.binds.size() + 1));
}

Outcome<std::string> wrap_query(const QueryRequest& request, const std::set<std::string>& used, const Schema& schema,
                                const Layouts& layouts, const Snapshot& snapshot, std::uint64_t token,
                                QueryFiles& files) {
  std::set<std::string> tables;
  std::string views;
  for (const std::string& name : used) {
    if (const ViewSchema* view = schema.find_view(name)) {
      tables.insert(view->tables.begin(), view->tables.end());
      views += ", " + view_expression(*view);
    } else {
      tables.insert(name);
    }
  }
  std::string with;
  for (const std::string& name : tables) {
    TRY(const std::string expression,
        table_expression(request, *schema.find_table(name), layouts, snapshot, token, files));
    with += (with.empty() ? "WITH " : ", ") + expression;
  }
  const std::string values_first =
      adds_parameter(request) ? fmt::format(" WHERE ${} IS NULL", request.binds.size() + 1) : std::string();
  // The line break ends a comment at the end of the query.
  const std::size_t limit = std::min<std::size_t>(request.rows_max, std::numeric_limits<std::int64_t>::max() - 1) + 1;
  return fmt::format("{}{} SELECT * FROM ({}\n){} LIMIT {}", with, views, request.sql, values_first, limit);
}

}  // namespace picket::workspace
