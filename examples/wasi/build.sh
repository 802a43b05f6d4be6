#!/usr/bin/env bash
# Compiles the program to lines.wasm, or to the file given. Needs clang with the target wasm32, wasm-ld, and wasi-libc:
# Debian's packages clang, lld, wasi-libc and libclang-rt-dev-wasm32.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="${1:-$here/lines.wasm}"

# malloc.c makes imports of malloc and its family, and so keeps the C library's own malloc out. A reactor has no main, but
# functions that are called from outside.
"${CLANG:-clang}" --target=wasm32-wasi -O2 -Wall -Wextra -Werror -mexec-model=reactor \
  -Wl,--import-memory -Wl,--export=__heap_base -Wl,--stack-first -Wl,-z,stack-size=65536 -Wl,--strip-all \
  -o "$out" "$here/lines.c" "$here/malloc.c"
chmod 644 "$out"
