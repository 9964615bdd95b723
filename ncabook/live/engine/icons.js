// Line drawings for the buttons, 24×24, in the colour of the text.

const icon = (path) =>
  `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">${path}</svg>`;

export const ICONS = {
  play: icon('<path fill="currentColor" d="M8 5.2v13.6a.8.8 0 0 0 1.2.7l11-6.8a.8.8 0 0 0 0-1.4l-11-6.8A.8.8 0 0 0 8 5.2z"/>'),
  pause: icon('<path fill="currentColor" d="M7 5h3.5v14H7zM13.5 5H17v14h-3.5z"/>'),
  step: icon('<path fill="currentColor" d="M6 5.6v12.8a.7.7 0 0 0 1.1.6l8.9-6.4a.7.7 0 0 0 0-1.2L7.1 5a.7.7 0 0 0-1.1.6zM17 5h2v14h-2z"/>'),
  reset: icon('<path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="M4.5 5v5h5M5 10a7.5 7.5 0 1 1-.4 4.5"/>'),
};
