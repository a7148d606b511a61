// BEGIN and COMMIT around a piece of work. Private to this module.
#pragma once

#include "statement.h"

namespace picket::state {

/// Committed when `body` returns a value, rolled back when it returns an error.
template <class Body>
Result<> in_transaction(sqlite3* db, Body&& body) {
  TRY_VOID(execute(db, "BEGIN IMMEDIATE"));
  Result<> done = body();
  if (done) done = execute(db, "COMMIT");
  if (!done && sqlite3_get_autocommit(db) == 0) TRY_VOID(execute(db, "ROLLBACK"));
  return done;
}

/// Within one: a body that fails takes back its own changes only.
template <class Body>
Result<> in_savepoint(sqlite3* db, Body&& body) {
  TRY_VOID(execute(db, "SAVEPOINT body"));
  Result<> done = body();
  // A failure such as a full disk may have ended the whole transaction, and the savepoint with it.
  if (sqlite3_get_autocommit(db) != 0) return done ? fail(Errc::io, "state.transaction") : done;
  if (!done) TRY_VOID(execute(db, "ROLLBACK TO body"));
  TRY_VOID(execute(db, "RELEASE body"));
  return done;
}

}  // namespace picket::state
