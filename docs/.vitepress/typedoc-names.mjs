// A TypeDoc plugin: calls each entry point by the name that a program imports it under.

import { Converter } from 'typedoc';

export function load(application) {
  application.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const entry of project.children ?? []) {
      entry.name = entry.name === 'index' ? 'buddy-allocator' : `buddy-allocator/${entry.name}`;
    }
  });
}
