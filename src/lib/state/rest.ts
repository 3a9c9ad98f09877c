/** How long a state that could not be opened, read or written is left alone: each try may hold this process up until a lock is given up. */
export const REST_MS = 30_000;
