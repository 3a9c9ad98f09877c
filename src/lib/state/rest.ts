/** How long a transaction waits for a lock that another process holds, and then fails. */
export const BUSY_MS = 5000;
/** The same in a live view: nothing is drawn while it waits. What it could not keep it keeps later, at its end with 5 s for all of it. */
export const BUSY_LIVE_MS = 500;
/** How long a state that could not be opened, read or written is left alone: each try may hold this process up until a lock is given up. */
export const REST_MS = 30_000;
