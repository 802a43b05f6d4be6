// The theme: VitePress's own, in this project's colours.

import DefaultTheme from 'vitepress/theme';
import './style.css';

export default DefaultTheme;
