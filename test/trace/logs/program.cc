// The program that the logs beside this file are of: it allocates in every way, in two threads, and in a forked child.
#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

struct alignas(64) Wide {
  char bytes[128];
};

static void work(int thread) {
  for (int i = 1; i <= 10; i++) {
    char *text = new char[1000 * thread + i];
    Wide *wide = new Wide;
    void *block = malloc(10);
    block = realloc(block, 0) ? block : nullptr;
    block = realloc(block, 5000);
    block = realloc(block, 50000);
    void *zeros = calloc(3, 33);
    void *aligned = nullptr;
    if (posix_memalign(&aligned, 256, 300) != 0) abort();
    free(aligned);
    free(aligned_alloc(32, 96));
    free(zeros);
    delete wide;
    free(block);
    delete[] text;
  }
}

int main() {
  puts("hello"), fflush(stdout);
  std::thread first(work, 1), second(work, 2);
  first.join(), second.join();
  void *kept = reallocarray(nullptr, 7, 11);
  if (malloc(-1ul / 2) != nullptr || realloc(kept, -1ul / 2) != nullptr) abort();
  if (fork() == 0) free(kept), free(malloc(424242)), _exit(0);
  wait(nullptr);
  free(kept);
  return malloc(123456) == nullptr;
}
