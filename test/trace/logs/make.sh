#!/bin/bash
# Makes the logs in this folder anew. Needs g++, and Debian's valgrind (3.19), ltrace (0.7.3) and heaptrack (1.4).
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
g++ -std=c++17 -O0 -w -o "$scratch/program" program.cc -pthread
log() { gzip -9nc "$scratch/$1" > "$1.gz"; }
run() { "$@" > /dev/null; }
cp program.cc "$scratch" && cd "$scratch"
run valgrind --trace-malloc=yes --log-file=valgrind.log ./program
run valgrind --tool=dhat --dhat-out-file=dhat.json --log-file=dhat.log ./program
run ltrace -f -o ltrace.log ./program
run ltrace -f -e 'fork+malloc+free+realloc+_Znwm+_ZdlPvm@*' -o ltrace-nested.log ./program
run heaptrack --raw -o raw ./program
zstd -dqc raw.raw.zst > heaptrack-raw.log
/usr/lib/heaptrack/libexec/heaptrack_interpret < heaptrack-raw.log > heaptrack.log 2> /dev/null
cd - > /dev/null
for name in valgrind.log dhat.json ltrace.log ltrace-nested.log heaptrack-raw.log heaptrack.log; do log "$name"; done
