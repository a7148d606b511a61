// The journal against a std::vector, over random operations with reopening between them.
#include <random>

#include "journal_harness.h"

namespace picket::journal {
namespace {

Message random_message(std::mt19937_64& random) {
  Message out;
  const auto text = [&](std::size_t max) {
    std::string s(random() % (max + 1), '\0');
    for (char& c : s) c = static_cast<char>(random());
    return s;
  };
  out.identity = {text(5), text(40), text(8), text(3)};
  for (std::size_t i = random() % 4; i > 0; --i) out.properties.emplace_back(text(10), text(30));
  out.body = text(random() % 50 == 0 ? 3U << 20 : 600);
  out.enqueued = Timestamp{static_cast<std::int64_t>(random() % 1'000'000'000)};
  out.kind = static_cast<RecordKind>(1 + random() % 12);
  return out;
}

TEST(JournalModel, EqualsAVectorAfterAnyOperations) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    std::mt19937_64 random(seed);
    const TempFolder folder;
    auto opened = must_open(options_in(folder.path(), 20'000));
    std::vector<Message> model;
    Timestamp last;
    for (int step = 0; step < 120; ++step) {
      switch (random() % 8) {
        case 0:
          opened.journal.reset();
          opened = must_open(options_in(folder.path(), 20'000));
          EXPECT_TRUE(opened.report.torn_file.empty() && opened.report.corrupt.empty());
          break;
        case 1: {  // from the middle, in batches of any size
          opened.journal->flush();
          const std::size_t from = model.empty() ? 0 : random() % model.size();
          const auto read = read_all(*opened.journal, Position::at(0, from + 1), 1 + random() % 20'000);
          EXPECT_EQ(read.messages,
                    std::vector<Message>(model.begin() + static_cast<std::ptrdiff_t>(from), model.end()));
          break;
        }
        default: {
          Message message = random_message(random);
          ASSERT_TRUE(append_message(*opened.journal, message).has_value());
          message.enqueued = last = std::max(last, message.enqueued);
          model.push_back(std::move(message));
        }
      }
    }
    opened.journal->flush();
    const auto read = read_all(*opened.journal);
    EXPECT_EQ(read.messages, model) << "seed " << seed;
    for (std::size_t i = 0; i < read.sequences.size(); ++i) EXPECT_EQ(read.sequences[i], i + 1);
  }
}

}  // namespace
}  // namespace picket::journal
