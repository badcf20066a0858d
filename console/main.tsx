// The console: a page for people over the API that serves it.

import { render } from 'preact';
import { App } from './shell/app.tsx';
import { keepPage } from './parts/file-drop.ts';
import './shell/theme.ts';
import { followJobs } from './state/follow.ts';
import './style/index.css';

keepPage();
followJobs();
render(<App />, document.querySelector('#console')!);
