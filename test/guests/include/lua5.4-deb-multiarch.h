// Debian's build writes here where modules lie. The guest loads none.
