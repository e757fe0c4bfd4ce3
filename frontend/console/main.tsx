import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../src/app/theme.css';
import { App } from './App';
import './console.css';

const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
