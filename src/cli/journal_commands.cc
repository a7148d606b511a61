#include "journal_commands.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "journal/journal.h"

namespace picket::cli {
namespace {

constexpr std::size_t kReadBytes = 4 << 20;

struct Findings {
  std::uint64_t records = 0;
  std::uint64_t places = 0;
  std::uint64_t records_lost = 0;
};

std::unexpected<Failure> failure(Exit exit, std::string text) {
  return std::unexpected(Failure{exit, std::move(text)});
}

void print(const std::string& name, const journal::Corruption& damage) {
  std::printf("%s: %s, bytes %llu to %llu: records %llu to %llu are lost\n", name.c_str(), damage.file.c_str(),
              static_cast<unsigned long long>(damage.begin), static_cast<unsigned long long>(damage.end),
              static_cast<unsigned long long>(damage.first_sequence),
              static_cast<unsigned long long>(damage.next_sequence - 1));
}

// The reader goes no further than a damaged place until its loss is accepted, so a report ends at the first one.
Outcome<Findings> read_through(const std::string& name, journal::Journal& journal, OnDamage on_damage) {
  Findings out;
  auto reader = journal.reader(journal.begin());
  if (!reader) return failure(Exit::failed, fmt::format("{}: {}", name, describe(reader.error())));
  for (;;) {
    const auto batch = (*reader)->read(kReadBytes);
    if (batch && batch->records.empty()) return out;
    if (batch) {
      out.records += batch->records.size();
      continue;
    }
    const auto& damage = (*reader)->corruption();
    if (!damage) return failure(Exit::failed, fmt::format("{}: {}", name, describe(batch.error())));
    print(name, *damage);
    ++out.places;
    out.records_lost += damage->next_sequence - damage->first_sequence;
    if (on_damage == OnDamage::report) return out;
    if (const auto accepted = journal.accept_loss(*damage); !accepted) {
      return failure(Exit::failed,
                     fmt::format("{}: the loss could not be noted: {}", name, describe(accepted.error())));
    }
  }
}

Outcome<Findings> check_one(const std::string& data, const std::string& name, OnDamage on_damage) {
  journal::EmbeddedOptions options;
  options.directory = data + "/" + name;
  options.reserve_bytes = 0;
  if (::access(options.directory.c_str(), F_OK) != 0) {
    return failure(Exit::usage, fmt::format("{} holds no journal; is it the data directory of a server?", data));
  }
  const auto opened = journal::open_embedded(std::move(options));
  if (!opened && opened.error().where == "journal.lock") {
    return failure(Exit::usage, fmt::format("a server runs on {}; stop it first", data));
  }
  if (!opened) return failure(Exit::failed, fmt::format("{}/{}: {}", data, name, describe(opened.error())));
  return read_through(name, *opened->journal, on_damage);
}

}  // namespace

Outcome<void> check_journals(const std::string& data, OnDamage on_damage) {
  std::uint64_t places = 0;
  for (const char* name : {"journal", "derived"}) {
    const auto findings = check_one(data, name, on_damage);
    if (!findings) return std::unexpected(findings.error());
    std::printf("%s: %llu records read%s\n", name, static_cast<unsigned long long>(findings->records),
                findings->places == 0 ? ", all sound" : "");
    places += findings->places;
  }
  if (places == 0) return {};
  if (on_damage == OnDamage::accept) {
    std::puts("The server goes on behind these places when it starts; the loss stays counted in its status.");
    return {};
  }
  return failure(Exit::failed,
                 "a journal is damaged. Restore it from a copy, or give up what is lost with: picket journal "
                 "accept-loss --data " +
                     data);
}

}  // namespace picket::cli
