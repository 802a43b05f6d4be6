// Closes the "Unreleased" section of CHANGELOG.md under the version that package.json has: part of `npm version`.

import { readFileSync, writeFileSync } from 'node:fs';
import { release } from './release-notes.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const today = new Date().toISOString().slice(0, 10);
writeFileSync('CHANGELOG.md', release(readFileSync('CHANGELOG.md', 'utf8'), version, today));
