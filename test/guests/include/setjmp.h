// Lua includes this file, which wasi-libc does not have, and uses nothing of it: ../lua-config.h.
