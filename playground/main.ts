// The playground: builds the page from its parts.

import { App } from './app.ts';
import { bindByHand } from './parts/by-hand.ts';
import { bindHow } from './parts/how.ts';
import { bindMapPart } from './parts/map.ts';
import { bindSources } from './parts/sources.ts';
import { bindTransport } from './parts/transport.ts';
import { need } from './view/dom.ts';
import { cardsPanel, curvesPanel, figuresPanel, layoutsPanel } from './view/figures.ts';
import { bindTheme, palette } from './view/theme.ts';

const app = new App();
bindMapPart(app);
bindByHand(app);
bindTransport(app);
bindHow(app);
app.add(figuresPanel());
app.add(layoutsPanel());
app.add(cardsPanel());
app.add(curvesPanel());
bindSources(app);
bindTheme(need('theme', HTMLButtonElement), () => {
  app.palette = palette();
  app.wake();
});
addEventListener('resize', () => app.wake());
