#!/usr/bin/env bash
# Compiles heap-peer.wasm. Needs clang with the target wasm32, wasm-ld, and wasi-libc: WASI_SYSROOT is the folder that has
# its include/wasm32-wasi and lib/wasm32-wasi, /usr with Debian's package wasi-libc. The file in the repository was made
# with version 0.0~git20220510.9886d3d-2 of that package and clang 14.0.6.
#
# Of the library it contains dlmalloc, sbrk, abort and errno, which are under CC0 1.0 by the package's copyright
# file. Nothing of it goes into the published package.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="${WASI_SYSROOT:-/usr}"
out="${1:-$here/heap-peer.wasm}"

# Exporting __wasm_call_ctors, of which there are none, keeps the linker from calling them at every call from outside.
"${CLANG:-clang}" --target=wasm32-wasi --sysroot="$root" -isystem "$root/include/wasm32-wasi" -O3 -mbulk-memory -nostdlib \
  -Wl,--no-entry -Wl,--import-memory -Wl,--export=__wasm_call_ctors -Wl,--stack-first -Wl,-z,stack-size=65536 \
  -Wl,--strip-all -o "$out" "$here/heap-peer.c" "$root/lib/wasm32-wasi/libc.a"
chmod 644 "$out"
