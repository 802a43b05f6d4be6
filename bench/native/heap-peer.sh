#!/usr/bin/env bash
# Compiles the allocators of C programs in WebAssembly that `npm run bench -- heap` measures: those named, or all three.
#
#   heap-peer.wasm      Doug Lea's malloc, of wasi-libc
#   emmalloc-peer.wasm  emmalloc, of Emscripten, as Emscripten's library has it
#   mimalloc-peer.wasm  mimalloc
#
# Needs clang with the target wasm32, wasm-ld, and wasi-libc: WASI_SYSROOT is the folder that has its include/wasm32-wasi
# and lib/wasm32-wasi, /usr with Debian's package wasi-libc. EMSCRIPTEN_SYSROOT is the folder that has Emscripten's
# lib/wasm32-emscripten, and MIMALLOC the sources of mimalloc: Debian's package emscripten, and `apt-get source mimalloc`.
# The files in the repository were made with clang 14.0.6, wasi-libc 0.0~git20220510.9886d3d-2, emscripten 3.1.6~dfsg-5 and
# mimalloc 2.0.9+ds-2.
#
# Of wasi-libc they contain dlmalloc, sbrk, abort and errno, and functions on strings: CC0 1.0, and MIT, by the package's
# copyright file. emmalloc and mimalloc are under the MIT licence. Nothing of it goes into the published package.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="${OUT:-$here}"
root="${WASI_SYSROOT:-/usr}"
libc="$root/lib/wasm32-wasi/libc.a"

# Exporting __wasm_call_ctors keeps the linker from calling them at every call from outside. With the stack first, all that
# belongs to the allocator lies above it.
build() {
  local file="$out/$1"
  shift
  "${CLANG:-clang}" --target=wasm32-wasi --sysroot="$root" -isystem "$root/include/wasm32-wasi" -O3 -mbulk-memory -nostdlib \
    -Wl,--no-entry -Wl,--import-memory -Wl,--export=__wasm_call_ctors -Wl,--stack-first -Wl,-z,stack-size=65536 \
    -Wl,--strip-all -o "$file" "$here/heap-peer.c" "$@" "$libc"
  chmod 644 "$file"
}

build_dlmalloc() { build heap-peer.wasm; }

build_emmalloc() {
  local emscripten="${EMSCRIPTEN_SYSROOT:-/usr/share/emscripten/cache/sysroot}"
  build emmalloc-peer.wasm "$here/heap-peer-host.c" "$emscripten/lib/wasm32-emscripten/libemmalloc.a"
}

build_mimalloc() {
  build mimalloc-peer.wasm -w -DNDEBUG -DMI_USE_SBRK -DMI_NO_GETENV -I"$MIMALLOC/include" \
    -Dmalloc=mi_malloc -Drealloc=mi_realloc -Dfree=mi_free "$here/heap-peer-host.c" "$MIMALLOC/src/static.c" \
    "$here/mimalloc-memory.c"
}

if [ $# -eq 0 ]; then set -- dlmalloc emmalloc mimalloc; fi
for name in "$@"; do "build_$name"; done
