// Included before each of Lua's files: Lua's long jumps as JavaScript's exceptions, since wasi-libc has no setjmp.

#ifndef LUA_CONFIG_H
#define LUA_CONFIG_H

struct lua_State;

/** Calls `function(state, argument)`, and returns when it does, or when that has called throw_to_try. */
__attribute__((import_module("guest"), import_name("try")))
void try_call(void (*function)(struct lua_State *, void *), struct lua_State *state, void *argument);

__attribute__((import_module("guest"), import_name("throw")))
_Noreturn void throw_to_try(void);

// LUAI_TRY stands in the one function of Lua that has a `function`, named f, and its argument, named ud.
#define LUAI_TRY(L, c, a) try_call(f, L, ud)
#define LUAI_THROW(L, c) throw_to_try()
#define luai_jmpbuf int

/** No signal stops a script. */
#define l_signalT int

/** Every run does the same. */
#define luai_makeseed(L) 0
#define l_randomizePivot() 0

#endif
