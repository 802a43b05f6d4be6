// SQLite as a guest: each text is SQL, run on one database in memory. Rows are printed, with | between their columns.

#include <stdio.h>
#include <string.h>
#include "guest.h"
#include "sqlite3.h"

static sqlite3 *database;

static int print_row(void *unused, int count, char **values, char **names) {
  (void)unused, (void)names;
  for (int i = 0; i < count; i++) printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
  putchar('\n');
  return 0;
}

int run(int length) {
  int status = SQLITE_OK;
  if (!database) status = sqlite3_open(":memory:", &database);
  guest_input[length] = 0;
  if (status == SQLITE_OK) status = sqlite3_exec(database, guest_input, print_row, NULL, NULL);
  if (status != SQLITE_OK) puts(sqlite3_errmsg(database));
  fflush(stdout);
  return status;
}

void finish(void) {
  sqlite3_close(database);
  database = NULL;
  sqlite3_shutdown();
}

// SQLite needs an operating system, or this: one that has no files.

static int no_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
  (void)vfs, (void)name, (void)flags, (void)out;
  file->pMethods = NULL;
  return SQLITE_CANTOPEN;
}

static int no_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs, (void)name, (void)sync;
  return SQLITE_IOERR_DELETE;
}

static int no_access(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
  (void)vfs, (void)name, (void)flags;
  *out = 0;
  return SQLITE_OK;
}

static int same_name(sqlite3_vfs *vfs, const char *name, int size, char *out) {
  (void)vfs;
  snprintf(out, size, "%s", name);
  return SQLITE_OK;
}

/** Every run does the same. */
static int no_randomness(sqlite3_vfs *vfs, int size, char *out) {
  (void)vfs;
  memset(out, 0, size);
  return size;
}

static int no_sleep(sqlite3_vfs *vfs, int microseconds) {
  (void)vfs;
  return microseconds;
}

static int no_time(sqlite3_vfs *vfs, double *out) {
  (void)vfs;
  *out = 0;
  return SQLITE_OK;
}

int sqlite3_os_init(void) {
  static sqlite3_vfs none = {
      .iVersion = 1,
      .szOsFile = sizeof(sqlite3_file),
      .mxPathname = 64,
      .zName = "none",
      .xOpen = no_open,
      .xDelete = no_delete,
      .xAccess = no_access,
      .xFullPathname = same_name,
      .xRandomness = no_randomness,
      .xSleep = no_sleep,
      .xCurrentTime = no_time,
  };
  return sqlite3_vfs_register(&none, 1);
}

int sqlite3_os_end(void) { return SQLITE_OK; }
