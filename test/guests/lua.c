// Lua as a guest: each text is a script. All run in one state, with the libraries that need no operating system.

#include <stdio.h>
#include "guest.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base},         {LUA_COLIBNAME, luaopen_coroutine}, {LUA_MATHLIBNAME, luaopen_math},
    {LUA_STRLIBNAME, luaopen_string},  {LUA_TABLIBNAME, luaopen_table},    {LUA_UTF8LIBNAME, luaopen_utf8},
};

static lua_State *state;

static lua_State *opened(void) {
  lua_State *made = luaL_newstate();
  if (!made) return NULL;
  for (unsigned i = 0; i < sizeof libraries / sizeof *libraries; i++) {
    luaL_requiref(made, libraries[i].name, libraries[i].func, 1);
    lua_pop(made, 1);
  }
  return made;
}

int run(int length) {
  if (!state) state = opened();
  if (!state) return LUA_ERRMEM;
  int status = luaL_loadbuffer(state, guest_input, length, "=script");
  if (status == LUA_OK) status = lua_pcall(state, 0, 0, 0);
  if (status != LUA_OK) {
    puts(lua_tostring(state, -1));
    lua_pop(state, 1);
  }
  fflush(stdout);
  return status;
}

void finish(void) {
  lua_close(state);
  state = NULL;
}
