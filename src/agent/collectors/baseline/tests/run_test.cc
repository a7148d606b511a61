#include "baseline/run.h"

#include <gmock/gmock.h>

#include "baseline/lines.h"
#include "baseline/tests/content_writer.h"

namespace picket::agent::baseline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using Results = std::vector<std::pair<std::string, State>>;

class RunTest : public testing::Test {
 protected:
  /// PASS: it is there; FAIL: it is not; SKIP and ERROR by name.
  std::string there() { return content_.call("exists", {{"paths", "/there"}}); }
  std::string not_there() { return content_.call("exists", {{"paths", "/not"}}); }
  std::string skips() { return content_.call("kernel_module", {{"name", "none"}}); }
  std::string errs() { return content_.call("no_such_procedure"); }

  Results run(Choice choice = {}) {
    files_.write("/there", "x");
    const std::string file = content_.file();
    const auto content = Content::read(as_bytes(file));
    EXPECT_TRUE(content);
    const auto root = Root::open(files_.path());
    Results out;
    BaselineRun run(*root, {*content}, std::move(choice), [&](const Rule& rule, const Verdict& verdict) {
      out.emplace_back(rule.id, verdict.state);
      observed_ = verdict.observed;
    });
    while (run.step()) {
    }
    broken_ = run.broken_rules();
    return out;
  }
  State state_of(const std::string& tree, const std::string& applies = "") {
    content_ = {};
    content_.rule("X-1", tree, applies);
    return run().at(0).second;
  }

  TestRoot files_;
  ContentWriter content_;
  std::string observed_;
  std::uint64_t broken_ = 0;
};

/// Trees are made before the writer that holds their strings is emptied: so each test makes its own.
#define STATE(expression)               \
  [&] {                                 \
    content_ = {};                      \
    content_.rule("X-1", (expression)); \
    return run().at(0).second;          \
  }()

TEST_F(RunTest, AllNeedsEveryOne) {
  using C = ContentWriter;
  EXPECT_EQ(STATE(C::all({there(), there()})), State::pass);
  EXPECT_EQ(STATE(C::all({there(), not_there()})), State::fail);
  EXPECT_EQ(STATE(C::all({errs(), not_there()})), State::fail) << "a failure is certain whatever else is";
  EXPECT_EQ(STATE(C::all({there(), errs()})), State::error);
  EXPECT_EQ(STATE(C::all({there(), skips()})), State::pass) << "what does not apply does not count";
  EXPECT_EQ(STATE(C::all({skips(), skips()})), State::skip);
}

TEST_F(RunTest, AnyNeedsOne) {
  using C = ContentWriter;
  EXPECT_EQ(STATE(C::any({not_there(), there()})), State::pass);
  EXPECT_EQ(STATE(C::any({errs(), there()})), State::pass);
  EXPECT_EQ(STATE(C::any({not_there(), errs()})), State::error);
  EXPECT_EQ(STATE(C::any({errs(), not_there()})), State::error);
  EXPECT_EQ(STATE(C::any({not_there(), skips()})), State::fail);
  EXPECT_EQ(STATE(C::any({skips()})), State::skip);
}

TEST_F(RunTest, NotTurnsOnlyPassAndFail) {
  using C = ContentWriter;
  EXPECT_EQ(STATE(C::negation(there())), State::fail);
  EXPECT_EQ(STATE(C::negation(not_there())), State::pass);
  EXPECT_EQ(STATE(C::negation(skips())), State::skip);
  EXPECT_EQ(STATE(C::negation(errs())), State::error);
}

TEST_F(RunTest, ARuleThatDoesNotApplyIsSkipped) {
  content_.rule("X-1", not_there(), not_there());
  content_.rule("X-2", not_there(), there());
  content_.rule("X-3", there(), errs());
  EXPECT_THAT(run(), ElementsAre(Pair("X-1", State::skip), Pair("X-2", State::fail), Pair("X-3", State::error)));
}

TEST_F(RunTest, AnUnknownProcedureIsNamed) {
  content_.rule("X-1", errs());
  EXPECT_THAT(run(), ElementsAre(Pair("X-1", State::error)));
  EXPECT_THAT(observed_, HasSubstr("no_such_procedure"));
}

TEST_F(RunTest, ATreeThatIsTooDeepIsAnError) {
  std::string tree = there();
  for (std::size_t i = 0; i < kTreeDepthMax; ++i) tree = ContentWriter::all({tree});
  content_.rule("X-1", tree);
  EXPECT_THAT(run(), ElementsAre(Pair("X-1", State::error)));
}

TEST_F(RunTest, GroupsAndChecksAreSwitchedOffByTheirPublishedNames) {
  content_.rule("X-1", there(), "", 1, 3, "Time Synchronization", "2.2.1.1");
  content_.rule("X-2", there(), "", 1, 3, "Network Parameters Host", "3.1.1");
  content_.rule("X-3", there(), "", 1, 3, "SSH", "5.2.1");
  content_.rule("X-4", there(), "", 1, 3, "SSH", "5.2.10");
  EXPECT_THAT(run({.groups_disabled = {"time synchronization", "Network Parameters (Host)"},
                   .checks_disabled = {"5.2.1"},
                   .only = {}}),
              ElementsAre(Pair("X-4", State::pass)));
  EXPECT_THAT(run({.groups_disabled = {}, .checks_disabled = {"x-1", "X-2", "X-4"}, .only = {}}),
              ElementsAre(Pair("X-3", State::pass)));
  EXPECT_THAT(run({.groups_disabled = {}, .checks_disabled = {}, .only = "3.1.1"}),
              ElementsAre(Pair("X-2", State::pass)));
}

TEST_F(RunTest, LevelAndProfileChoose) {
  content_.rule("X-1", there(), "", 1, 1);
  content_.rule("X-2", there(), "", 2, 3);
  content_.rule("X-3", there(), "", 1, 2);
  EXPECT_THAT(run(), ElementsAre(Pair("X-1", State::pass)));
  EXPECT_THAT(run({.level_max = 2, .profile = 2, .groups_disabled = {}, .checks_disabled = {}, .only = {}}),
              ElementsAre(Pair("X-2", State::pass), Pair("X-3", State::pass)));
}

TEST_F(RunTest, ABrokenRuleIsCountedAndTheOthersStand) {
  content_.rule("X-1", there());
  content_.rule("X-2", there());
  files_.write("/there", "x");
  std::string file = content_.file();
  // The second entry of the index leads nowhere.
  file.replace(48 + 4, 4, "\xff\xff\xff\x7f");
  const auto content = Content::read(as_bytes(file));
  ASSERT_TRUE(content);
  const auto root = Root::open(files_.path());
  std::vector<std::string> ids;
  BaselineRun run(*root, {*content}, {}, [&](const Rule& rule, const Verdict&) { ids.emplace_back(rule.id); });
  while (run.step()) {
  }
  EXPECT_THAT(ids, ElementsAre("X-1"));
  EXPECT_EQ(run.broken_rules(), 1u);
}

TEST_F(RunTest, ContentOfAnotherKindIsRefusedByName) {
  content_.rule("X-1", there());
  const auto where = [](const std::string& file) {
    const auto content = Content::read(as_bytes(file));
    return content ? std::string("read") : std::string(to_string(content.error().code));
  };
  const std::string good = content_.file();
  EXPECT_EQ(where(good), "read");
  EXPECT_EQ(where(content_.file(2)), "unsupported");
  EXPECT_EQ(where("#!/bin/sh"), "malformed");
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_NE(where(good.substr(0, n)), "read") << n << " bytes";
}

TEST(Lines, QuantitiesAreInSeconds) {
  EXPECT_EQ(quantity_of("90"), 90);
  EXPECT_EQ(quantity_of("5m"), 300);
  EXPECT_EQ(quantity_of("2h"), 7'200);
  EXPECT_EQ(quantity_of("1d"), 86'400);
  EXPECT_EQ(quantity_of(""), std::nullopt);
  EXPECT_EQ(quantity_of("m"), std::nullopt);
  EXPECT_EQ(quantity_of("99999999999999999999"), std::nullopt);
  EXPECT_EQ(quantity_of("9223372036854775807w"), std::nullopt);
}

}  // namespace
}  // namespace picket::agent::baseline
