#!/usr/bin/env bash
# Builds the guests, each with its own malloc and with that of a Heap, in the folder given: lua.own.wasm, lua.heap.wasm,
# sqlite.own.wasm, sqlite.heap.wasm. The sources are Debian's, fetched by apt from a list of its own: the system's lists stay
# as they are. What is there already is not fetched again.
set -euo pipefail
shopt -s extglob
here="$(cd "$(dirname "$0")" && pwd)"
mkdir -p "$1"
cd "$1"

# Names a source package and a file of it. Prints the folder of its sources.
fetch() {
  if ! compgen -G "$1-*/$2" >/dev/null; then
    mkdir -p apt/lists/partial apt/archives/partial
    echo 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' \
      >apt/sources.list
    local apt=(apt-get -qq -o "Dir::Etc::SourceList=$PWD/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
      -o "Dir::State::Lists=$PWD/apt/lists" -o "Dir::Cache=$PWD/apt" -o APT::Sandbox::User=)
    "${apt[@]}" update >&2
    "${apt[@]}" source "$1" >&2
    rm -r apt
  fi
  compgen -G "$1-*/"
}

# The C library without its malloc, which the linker makes imports of then.
mkdir -p without
cp "$("${CLANG:-clang}" --target=wasm32-wasi -print-file-name=libc.a)" without
llvm-ar t without/libc.a dlmalloc.o >/dev/null
llvm-ar d without/libc.a dlmalloc.o
malloc=(-Lwithout "-Wl,--allow-undefined-file=$here/../../examples/wasi/heap.imports")

flags=(--target=wasm32-wasi -O2 -I"$here")

# Names a guest, and the flags and files that it consists of.
link() {
  local name="$1"
  shift
  "${CLANG:-clang}" "${flags[@]}" -mexec-model=reactor -Wl,--import-memory -Wl,--initial-memory=1048576 -Wl,--stack-first \
    -Wl,-z,stack-size=262144 -Wl,--export=__heap_base -Wl,--export=__stack_pointer -Wl,--export-table -o "$name" "$@"
}

lua="$(fetch lua5.4 src/lua.c)src"
# Neither the programs nor the libraries that need an operating system.
sources=("$lua"/!(lua|luac|linit|liolib|loslib|loadlib|ldblib).c)
parts=(-I"$here/include" -I"$lua" -include "$here/lua-config.h" "$here/lua.c" "${sources[@]}")
link lua.own.wasm "${parts[@]}"
link lua.heap.wasm "${parts[@]}" "${malloc[@]}"

sqlite="$PWD/$(fetch sqlite3 configure)"
if [ ! -e sqlite/sqlite3.c ]; then
  # SQLite's files as one, which its own build makes with programs for this machine.
  mkdir -p sqlite
  (cd sqlite && "$sqlite/configure" --disable-tcl --disable-readline --disable-editline && make sqlite3.c) >sqlite.log 2>&1 ||
    { tail sqlite.log >&2 && exit 1; }
fi
"${CLANG:-clang}" "${flags[@]}" -c -o sqlite.o -DSQLITE_OS_OTHER=1 -DSQLITE_THREADSAFE=0 -DSQLITE_TEMP_STORE=3 \
  -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_LOCALTIME sqlite/sqlite3.c
link sqlite.own.wasm -Isqlite "$here/sqlite.c" sqlite.o
link sqlite.heap.wasm -Isqlite "$here/sqlite.c" sqlite.o "${malloc[@]}"
