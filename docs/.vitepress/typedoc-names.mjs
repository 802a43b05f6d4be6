// A TypeDoc plugin: calls each entry point by the name that a program imports it under.

import { Converter } from 'typedoc';
import { entryPoints } from '../../scripts/entry-points.mjs';

const specifiers = new Map(entryPoints.map(({ name, specifier }) => [name, specifier]));

export function load(application) {
  application.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const entry of project.children ?? []) entry.name = specifiers.get(entry.name) ?? entry.name;
  });
}
