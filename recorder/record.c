// Writes down every allocation of a program, in a text that the buddy command reads. docs/recording.md says more:
//   cc -shared -fPIC -O2 -o record.so record.c -ldl -pthread
//   BUDDY_RECORD=$PWD/trace LD_PRELOAD=$PWD/record.so program
//
// Each process has a file of its own, BUDDY_RECORD.PID. A line is written as soon as it happens, so that a killed
// program loses none, and a forked one has none of its parent's left to write.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char prefix[3072]; // the value of BUDDY_RECORD; empty: nothing is recorded
static char path[4096];   // this process's file
static int file = -1;     // it, once there is something to write
static struct stat identity;

#define UNLIKELY 987 // a descriptor that no script names

// The program may close descriptors that it does not know, or put another file in the place of ours. So ours is a high
// number, and looked at before each use.
static void keep(int descriptor) {
  file = fcntl(descriptor, F_DUPFD_CLOEXEC, UNLIKELY);
  if (file < 0) file = descriptor;
  else close(descriptor);
  if (file < 0 || fstat(file, &identity) != 0) prefix[0] = 0;
}

static void open_file(void) {
  struct stat now;
  if (file >= 0 && fstat(file, &now) == 0 && now.st_dev == identity.st_dev && now.st_ino == identity.st_ino) {
    return;
  }
  if (file >= 0) return keep(open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
  int descriptor = -1;
  // exec keeps the number of the process, and the numbers come back some day: no file is written to twice.
  for (int n = 0; descriptor < 0 && n < 10000; n++) {
    snprintf(path, sizeof path, n == 0 ? "%s.%d" : "%s.%d.%d", prefix, (int)getpid(), n);
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno != EEXIST) break;
  }
  keep(descriptor);
  if (prefix[0] != 0 && write(file, "= Start\n", 8) != 8) prefix[0] = 0;
}

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int depth; // an allocator's functions may call each other: only the outermost call counts

static void enter(void) { pthread_mutex_lock(&lock), depth++; }
static void leave(void) { depth--, pthread_mutex_unlock(&lock); }

static void record(const char *lines) {
  if (depth != 1 || prefix[0] == 0) return;
  int error = errno;
  open_file();
  ssize_t length = strlen(lines);
  if (prefix[0] != 0 && write(file, lines, length) != length) prefix[0] = 0; // The disk is full: no more of it.
  errno = error;
}

static void record_new(void *block, size_t bytes) {
  char lines[64];
  if (block == NULL) snprintf(lines, sizeof lines, "+ (nil) 0x%zx\n", bytes);
  else snprintf(lines, sizeof lines, "+ 0x%zx 0x%zx\n", (size_t)block, bytes);
  record(lines);
}

// A forked child has a copy of the heap, but writes a file of its own. The lock is held meanwhile, so that no other
// thread leaves it locked in the child.
static void before_fork(void) { enter(); }
static void after_fork(void) { leave(); }
static void in_child(void) {
  lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
  depth = 0;
  if (file >= 0) close(file);
  file = -1;
}

// dlsym may allocate before it has found the functions that do. Such blocks come from here, and stay.
static char early[4096] __attribute__((aligned(16)));
static size_t early_used;
static int is_early(void *block) { return (char *)block >= early && (char *)block < early + sizeof early; }
static void *early_new(size_t bytes) {
  void *block = early + early_used;
  if (bytes > sizeof early - 16 - early_used) return NULL;
  early_used += (bytes + 15) & ~(size_t)15;
  return block;
}

static int ready(void);

#define ALLOCATES(name, parameters, arguments, bytes)  \
  static void *(*real_##name) parameters;              \
  void *name parameters {                              \
    if (!ready()) return early_new(bytes);             \
    enter();                                           \
    void *block = real_##name arguments;               \
    record_new(block, bytes);                          \
    leave();                                           \
    return block;                                      \
  }

static size_t product(size_t a, size_t b) {
  size_t result;
  return __builtin_mul_overflow(a, b, &result) ? SIZE_MAX : result;
}

ALLOCATES(malloc, (size_t bytes), (bytes), bytes)
ALLOCATES(calloc, (size_t count, size_t size), (count, size), product(count, size))
ALLOCATES(memalign, (size_t alignment, size_t bytes), (alignment, bytes), bytes)
ALLOCATES(aligned_alloc, (size_t alignment, size_t bytes), (alignment, bytes), bytes)
ALLOCATES(valloc, (size_t bytes), (bytes), bytes)
ALLOCATES(pvalloc, (size_t bytes), (bytes), bytes)

static int (*real_posix_memalign)(void **, size_t, size_t);
int posix_memalign(void **block, size_t alignment, size_t bytes) {
  if (!ready()) return ENOMEM;
  enter();
  int error = real_posix_memalign(block, alignment, bytes);
  if (error == 0 || error == ENOMEM) record_new(error == 0 ? *block : NULL, bytes);
  leave();
  return error;
}

static void (*real_free)(void *);
void free(void *block) {
  if (block == NULL || is_early(block) || !ready()) return;
  char lines[64];
  snprintf(lines, sizeof lines, "- 0x%zx\n", (size_t)block);
  enter();
  record(lines); // Before another thread can get the address.
  real_free(block);
  leave();
}

static void *(*real_realloc)(void *, size_t);
void *realloc(void *old, size_t bytes) {
  if (old == NULL || !ready()) return malloc(bytes);
  if (is_early(old)) {
    void *block = malloc(bytes);
    size_t most = (size_t)(early + sizeof early - (char *)old);
    return block == NULL ? NULL : memcpy(block, old, bytes < most ? bytes : most);
  }
  char lines[128];
  enter();
  void *block = real_realloc(old, bytes);
  size_t from = (size_t)old, to = (size_t)block;
  if (block != NULL) snprintf(lines, sizeof lines, "< 0x%zx\n> 0x%zx 0x%zx\n", from, to, bytes);
  else if (bytes == 0) snprintf(lines, sizeof lines, "- 0x%zx\n", from);
  else snprintf(lines, sizeof lines, "! 0x%zx 0x%zx\n", from, bytes);
  record(lines);
  leave();
  return block;
}

void *reallocarray(void *old, size_t count, size_t size) {
  return realloc(old, product(count, size));
}

// 1 once the functions are found. The first call comes before the program has threads.
static int ready(void) {
  static int state;
  if (state != 0) return state == 2;
  state = 1;
#define FIND(name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name)
  FIND(malloc), FIND(calloc), FIND(realloc), FIND(free), FIND(memalign), FIND(aligned_alloc), FIND(valloc);
  FIND(pvalloc), FIND(posix_memalign);
  // Not by getenv: some programs, such as bash, have their own.
  for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
    if (strncmp(*entry, "BUDDY_RECORD=/", 14) == 0) snprintf(prefix, sizeof prefix, "%s", *entry + 13);
  }
  state = 2;
  pthread_atfork(before_fork, after_fork, in_child);
  return 1;
}

__attribute__((constructor)) static void start(void) { ready(); }
