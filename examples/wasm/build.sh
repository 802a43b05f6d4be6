#!/usr/bin/env bash
# Compiles the C program to program.wasm, or to the file given. Needs clang with the target wasm32, and wasm-ld.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="${1:-$here/program.wasm}"

# The importer provides the memory. The stack comes first, so that an overflow traps instead of overwriting data. Then
# come the data; the heap has everything from __heap_base on.
"${CLANG:-clang}" --target=wasm32 -std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib \
  -Wl,--no-entry -Wl,--import-memory -Wl,--export=__heap_base -Wl,--stack-first -Wl,-z,stack-size=65536 -Wl,--strip-all \
  -o "$out" "$here/map.c" "$here/words.c" "$here/json.c"
chmod 644 "$out"
