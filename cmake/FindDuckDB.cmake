# duckdb::duckdb: the shared library and C header that tools/deps/duckdb.sh puts into .deps/duckdb, or those of the
# system. Programs of the build tree find the library by their build rpath; installed ones by $ORIGIN/../lib.
find_path(DuckDB_INCLUDE_DIR duckdb.h HINTS ${CMAKE_SOURCE_DIR}/.deps/duckdb/include)
find_library(DuckDB_LIBRARY duckdb HINTS ${CMAKE_SOURCE_DIR}/.deps/duckdb/lib)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB
  REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run tools/deps/duckdb.sh, then configure again")

if(DuckDB_FOUND AND NOT TARGET duckdb::duckdb)
  add_library(duckdb::duckdb SHARED IMPORTED GLOBAL)
  set_target_properties(duckdb::duckdb PROPERTIES
    IMPORTED_LOCATION ${DuckDB_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${DuckDB_INCLUDE_DIR})
endif()
mark_as_advanced(DuckDB_INCLUDE_DIR DuckDB_LIBRARY)
