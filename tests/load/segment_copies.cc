#include "segment_copies.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/core/file.h"
#include "duckdb/segment_store.h"
#include "manifest.h"
#include "workspace/tables.h"

namespace picket::load {
namespace {

using namespace workspace;

constexpr std::string_view kTarget = "target";
constexpr std::uint64_t kMemoryBytes = 1U << 30;

std::string folder_of(const std::string& directory) { return directory + "/" + std::string(kMessagesStream); }

Result<> store(const std::string& directory, const Manifest& manifest) {
  return replace_file(folder_of(directory) + "/manifest", as_bytes(encode_manifest(manifest)));
}

class Copier {
 public:
  Copier(const Copies& copies, const Layouts& layouts, const std::vector<SegmentInfo>& sources)
      : copies_(copies), layouts_(layouts), sources_(sources) {}

  Outcome<> open(unsigned number) {
    const std::string spill = copies_.directory + "/.copies-" + std::to_string(number);
    TRY_VOID(make_directories(spill));
    TRY(store_, SegmentStore::open(kMemoryBytes, spill));
    TRY(connection_, connect(store_->database()));
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const std::string path = folder_of(copies_.directory) + "/" + segment_file_name(sources_[i]);
      TRY_VOID(
          run(connection_, fmt::format("ATTACH {} AS source_{} (READ_ONLY)", quote_text(path), i), "copies.attach"));
    }
    return {};
  }

  /// `back`: blocks before the newest one.
  Outcome<SegmentInfo> copy(std::uint64_t back) {
    const std::uint64_t first = (copies_.blocks - back) * copies_.records + 1;
    const Duration shift{-static_cast<std::int64_t>(back) * copies_.span.us};
    SegmentInfo made{first, first + copies_.records - 1, 0, sources_.back().sealed + shift, {}};
    const std::string final_path = folder_of(copies_.directory) + "/" + segment_file_name(made);
    const std::string path = final_path + std::string(kTemporarySuffix);
    std::uint64_t rows = 0;
    for (const SegmentInfo& source : sources_) rows += source.rows();
    TRY_VOID(attach_new_segment(connection_, path, kTarget, rows));
    TRY_VOID(run(connection_, "BEGIN", "copies.begin"));
    for (const TableLayout& layout : layouts_) TRY_VOID(copy_table(layout, back, shift, made));
    TRY_VOID(run(connection_, "COMMIT", "copies.commit"));
    TRY(made.bytes, finish_segment(connection_, kTarget, path, final_path));
    return made;
  }

 private:
  Outcome<> copy_table(const TableLayout& layout, std::uint64_t back, Duration shift, SegmentInfo& made) {
    TableExtent sum{layout.name, 0, kTimestampMax, kTimestampMin};
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const TableExtent* extent = sources_[i].find(layout.name);
      if (extent == nullptr) continue;
      if (sum.rows == 0) TRY_VOID(create_table(connection_, kTarget, layout));
      TRY_VOID(run(connection_,
                   fmt::format("INSERT INTO {}.{} SELECT {} FROM source_{}.{}", kTarget, quote_identifier(layout.name),
                               columns_of(layout, back, shift), i, quote_identifier(layout.name)),
                   "copies.insert"));
      sum.rows += extent->rows;
      sum.time_min = std::min(sum.time_min, extent->time_min + shift);
      sum.time_max = std::max(sum.time_max, extent->time_max + shift);
    }
    if (sum.rows != 0) made.tables.push_back(sum);
    return {};
  }

  [[nodiscard]] std::string columns_of(const TableLayout& layout, std::uint64_t back, Duration shift) const {
    std::string out;
    for (const Column& column : layout.columns) {
      const std::string name = quote_identifier(column.name);
      out += out.empty() ? "" : ", ";
      if (column.name == kPositionColumn) {
        out += fmt::format("{} - {}", name, back * copies_.records);
      } else if (column.type == ColumnType::timestamp) {
        out += fmt::format("{} + to_microseconds({})", name, shift.us);
      } else {
        out += name;
      }
    }
    return out;
  }

  const Copies& copies_;
  const Layouts& layouts_;
  const std::vector<SegmentInfo>& sources_;
  std::unique_ptr<SegmentStore> store_;
  Connection connection_;
};

}  // namespace

Result<> begin_at(const std::string& directory, std::uint64_t last) {
  TRY_VOID(make_directories(folder_of(directory)));
  return store(directory, Manifest{std::string(kMessagesStream), 1, last, 0, {}});
}

Result<std::uint64_t> make_copies(const Copies& copies, const Schema& schema, unsigned threads) {
  TRY(const std::string text, read_file(folder_of(copies.directory) + "/manifest", kManifestBytesMax));
  TRY(Manifest manifest, decode_manifest(text));
  const Layouts layouts = layouts_of(schema);
  std::vector<SegmentInfo> made(copies.blocks);
  std::atomic<std::uint64_t> next = 0;
  std::atomic<bool> failed = false;
  {
    std::vector<std::jthread> workers;
    for (unsigned number = 0; number < threads; ++number) {
      workers.emplace_back([&, number] {
        Copier copier(copies, layouts, manifest.segments);
        auto done = copier.open(number);
        for (std::uint64_t i = next++; done && i < copies.blocks; i = next++) {
          auto copy = copier.copy(copies.blocks - i);
          if (copy) made[i] = *std::move(copy);
          if (!copy) done = std::unexpected(copy.error());
        }
        if (!done) std::fprintf(stderr, "%s\n", describe(done.error()).c_str());
        if (!done) failed = true;
      });
    }
  }
  if (failed) return fail(Errc::internal, "copies");
  std::uint64_t rows = 0;
  for (const SegmentInfo& segment : made) rows += segment.rows();
  manifest.segments.insert(manifest.segments.begin(), made.begin(), made.end());
  ++manifest.version;
  TRY_VOID(store(copies.directory, manifest));
  return rows;
}

}  // namespace picket::load
