import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../src/app/theme.css';
import { App } from './App';
import { browserDesk } from './desk';
import './flow.css';
import './softphone.css';

const root = document.getElementById('root');
const desk = browserDesk();
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <App desk={desk} />
    </StrictMode>,
  );
