import { entryPoints } from './scripts/entry-points.mjs';

export default {
  entryPoints: entryPoints.map(({ source }) => source),
  plugin: ['typedoc-plugin-markdown', './docs/.vitepress/typedoc-names.mjs'],
  out: 'docs/reference',
  router: 'member',
  entryFileName: 'index',
  readme: 'none',
  name: 'Reference',
  sort: ['source-order'],
  sortEntryPoints: false,
  disableSources: true,
  excludePrivate: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  enumMembersFormat: 'table',
  useCodeBlocks: true,
  membersWithOwnFile: ['Class'],
  excludeExternals: true,
  pageTitleTemplates: {
    index: 'Reference',
    module: '{name}',
    member: '{name}',
  },
};
