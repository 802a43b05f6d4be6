// What every guest exports. JavaScript writes a text to `input` and calls `run`; what the guest prints comes out of stdout.

#ifndef GUEST_H
#define GUEST_H

#define EXPORT(name) __attribute__((export_name(#name)))

/** Bytes that a text may have. It lies outside the heap, so that it changes no measured memory. */
#define INPUT_BYTES 65536
static char guest_input[INPUT_BYTES];

EXPORT(input) char *input(void) { return guest_input; }

/** Runs the text of `length` bytes. Returns 0 if all went well; what is wrong is printed. The program's data stay. */
EXPORT(run) int run(int length);

/** Frees what the runs have left. */
EXPORT(finish) void finish(void);

#endif
