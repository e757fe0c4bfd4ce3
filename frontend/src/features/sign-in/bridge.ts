/** The way back from signing in: tells the page that opened this window, and closes it. */
import { broadcastResponseToMainFrame } from '@azure/msal-browser/redirect-bridge';

// Whoever comes here without an answer is told to close the window: there is nothing else to do.
broadcastResponseToMainFrame().catch(() => undefined);
